// One table of the ledger while a block runs. A row is read when it is first needed, changes stay
// in memory, and every change since a mark can be undone. Everything is ordered, so that no result
// depends on how rows are stored.
#pragma once

#include <map>
#include <set>
#include <utility>
#include <vector>

#include "actors/ledger/row_traits.hpp"
#include "actors/ledger/state_reader.hpp"
#include "messages/values/assert.hpp"

namespace soma::ledger {

template <class Row>
class overlay {
 public:
  using traits = row_traits<Row>;
  using key_type = typename traits::key_type;

  explicit overlay(const state_reader* base) : base_(base) {}

  /// nullptr when there is no such row. The pointer is valid until the next change of this table.
  [[nodiscard]] const Row* find(const key_type& key) const {
    auto known = entries_.find(key);
    if (known == entries_.end()) known = entries_.emplace(key, read(key)).first;
    return known->second.row ? &*known->second.row : nullptr;
  }

  /// Returns a row that must exist (asserted): its absence would be a bug of this program.
  [[nodiscard]] const Row& get(const key_type& key) const {
    const Row* row = find(key);
    SOMA_ASSERT(row != nullptr, "a row that another row names exists");
    return *row;
  }

  void put(const key_type& key, Row row) { set(key, std::move(row)); }
  /// Erasing a row that is not there changes nothing.
  void erase(const key_type& key) { set(key, std::nullopt); }

  /// Changes one row, which must exist, in place.
  template <class Change>
  void update(const key_type& key, Change change) {
    Row row = get(key);
    change(row);
    put(key, std::move(row));
  }

  /// The keys that begin with these bytes, in order.
  [[nodiscard]] std::vector<key_type> keys_with(byte_view prefix) const {
    return keys_where(prefix, [](const Row&) { return true; });
  }
  /// The keys that begin with these bytes and whose rows the predicate accepts, in order. Reads all
  /// rows with such keys.
  template <class Predicate>
  [[nodiscard]] std::vector<key_type> keys_where(byte_view prefix, Predicate wanted) const {
    SOMA_ASSERT(base_ != nullptr, "no row is read after the block's transactions have run");
    std::set<key_type> keys;
    base_->scan(prefix, [&](byte_view raw, byte_view value) {
      const key_type key = traits::parse_key(raw);
      if (entries_.contains(key)) return;
      if (wanted(traits::decode(value))) keys.insert(key);
    });
    for (const auto& [key, held] : entries_) {
      if (!held.row) continue;
      const auto raw = traits::key_bytes(key);
      if (raw.size() < prefix.size() || !std::equal(prefix.begin(), prefix.end(), raw.begin()))
        continue;
      if (wanted(*held.row)) keys.insert(key);
    }
    return {keys.begin(), keys.end()};
  }

  /// Calls visit(key, row or nullptr) for each row that was written, in order of keys.
  template <class Visit>
  void each_written(Visit visit) const {
    for (const auto& [key, held] : entries_) {
      if (held.dirty) visit(key, held.row ? &*held.row : nullptr);
    }
  }

  [[nodiscard]] std::size_t mark() const { return journal_.size(); }
  void rollback(std::size_t mark) {
    while (journal_.size() > mark) {
      auto& last = journal_.back();
      entries_[last.key] = std::move(last.before);
      journal_.pop_back();
    }
  }
  /// The number of distinct rows written since the mark.
  [[nodiscard]] std::size_t rows_written(std::size_t mark) const {
    if (journal_.size() - mark <= 1) return journal_.size() - mark;
    std::set<key_type> keys;
    for (std::size_t i = mark; i < journal_.size(); ++i) keys.insert(journal_[i].key);
    return keys.size();
  }

  /// The bytes, of keys and values, of the rows that were not there at the mark and are now.
  [[nodiscard]] std::size_t bytes_of_new_rows(std::size_t mark) const {
    std::size_t size = 0;
    std::set<key_type> keys;
    for (std::size_t i = mark; i < journal_.size(); ++i) {
      const auto& [key, before] = journal_[i];
      if (!keys.insert(key).second || before.row) continue;
      const auto& now = entries_.at(key).row;
      if (now) size += traits::key_bytes(key).size() + traits::encode(*now).size();
    }
    return size;
  }

  void collect(std::vector<row_change>& changes) const {
    for (const auto& [key, held] : entries_) {
      if (!held.dirty || (!held.row && !held.stored)) continue;
      changes.push_back({traits::key_bytes(key), std::nullopt});
      if (held.row) changes.back().value = traits::encode(*held.row);
    }
  }

  void detach() { base_ = nullptr; }
  /// To be called between transactions: what came before can no longer be undone.
  void forget_journal() { journal_.clear(); }

 private:
  struct entry {
    std::optional<Row> row;
    bool dirty = false;
    bool stored = false;  // the row was there before the block
  };
  struct undo {
    key_type key;
    entry before;
  };

  [[nodiscard]] entry read(const key_type& key) const {
    SOMA_ASSERT(base_ != nullptr, "no row is read after the block's transactions have run");
    const auto found = base_->find(traits::key_bytes(key));
    if (!found) return {};
    return {traits::decode(*found), false, true};
  }

  void set(const key_type& key, std::optional<Row> row) {
    auto found = entries_.find(key);
    if (found == entries_.end()) {
      found = entries_.emplace(key, base_ != nullptr ? read(key) : entry{}).first;
    }
    journal_.push_back({key, found->second});
    found->second.row = std::move(row);
    found->second.dirty = true;
  }

  const state_reader* base_;
  // Reading also fills it, so that a row is decoded only once.
  mutable std::map<key_type, entry> entries_;
  std::vector<undo> journal_;
};

}  // namespace soma::ledger
