#include "storage/tables/event_table.hpp"

#include <algorithm>

#include "storage/tables/keys.hpp"
#include "storage/tables/stored.hpp"

namespace soma::tables {

event_table::event_table(const lmdb::environment& env)
    : events_(env.table(name)),
      by_target_(env.table(by_target_name)),
      by_model_(env.table(by_model_name)),
      by_account_(env.table(by_account_name)) {}

namespace {

/// For one kind of id: the events of one block that name each id. It is written in the order of
/// ids, one record for each id.
class index_of_block {
 public:
  template <class Tag>
  void add(const id32<Tag>& id, std::uint32_t index) {
    if (!id.is_zero()) places_.emplace_back(hash256{id.value}, index);
  }
  void write(lmdb::write_txn& txn, lmdb::database table, block_height height) {
    std::ranges::sort(places_);
    for (std::size_t first = 0, last = 0; first < places_.size(); first = last) {
      ordered_key key, indices;
      key.add(places_[first].first).add(height);
      for (; last < places_.size() && places_[last].first == places_[first].first; ++last) {
        // An event may name one account in both of its account fields.
        if (last > first && places_[last] == places_[last - 1]) continue;
        indices.add_u32(places_[last].second);
      }
      txn.put(table, key.view(), indices.view());
    }
  }

 private:
  std::vector<std::pair<hash256, std::uint32_t>> places_;
};

}  // namespace

void event_table::append(lmdb::write_txn& txn, block_height height,
                         std::span<const event> events) const {
  index_of_block by_target, by_model, by_account;
  for (std::uint32_t index = 0; index < events.size(); ++index) {
    const event& happened = events[index];
    ordered_key key;
    key.add(height).add_u32(index);
    txn.append(events_, key.view(), encode(happened));
    by_target.add(happened.target, index);
    by_model.add(happened.model.model, index);
    by_account.add(happened.account, index);
    by_account.add(happened.other, index);
  }
  by_target.write(txn, by_target_, height);
  by_model.write(txn, by_model_, height);
  by_account.write(txn, by_account_, height);
}

std::vector<event> event_table::at(const lmdb::read_txn& txn, block_height height) const {
  std::vector<event> found;
  visit(txn, height, height, [&](const event& happened) {
    found.push_back(happened);
    return true;
  });
  return found;
}

void event_table::visit(const lmdb::read_txn& txn, block_height first, block_height last,
                        const event_visitor& visit) const {
  ordered_key start;
  start.add(first);
  lmdb::cursor at(txn, events_);
  for (bool there = at.at_least(start.view()); there; there = at.next()) {
    if (big_endian(at.key().first(8)) > last.value) return;
    if (!visit(decode_stored<event>(events_, at.key(), at.value()))) return;
  }
}

event event_table::indexed(const lmdb::read_txn& txn, lmdb::database index, byte_view key,
                           byte_view place) const {
  auto happened = find_stored<event>(txn, events_, place);
  if (!happened) {
    throw lmdb::failure(lmdb::failure_code::corrupt_record, "an index names no event",
                        std::string(index.name()), bytes(key.begin(), key.end()));
  }
  return std::move(*happened);
}

void event_table::visit_latest(const lmdb::read_txn& txn, lmdb::database index, byte_view id,
                               const event_visitor& visit) const {
  // This is one byte longer than any key of the id, so seeking it finds the first key behind them,
  // if there is one.
  bytes behind(id.begin(), id.end());
  behind.resize(id.size() + 9, 0xFF);
  lmdb::cursor at(txn, index);
  bool there = at.at_least(behind) ? at.previous() : at.last();
  for (; there; there = at.previous()) {
    const byte_view key = at.key();
    if (!std::ranges::equal(key.first(id.size()), id)) return;
    bytes place(key.begin() + static_cast<std::ptrdiff_t>(id.size()), key.end());
    for (auto left = at.value(); left.size() >= 4; left = left.first(left.size() - 4)) {
      place.resize(8);
      const auto last = left.last(4);
      place.insert(place.end(), last.begin(), last.end());
      if (!visit(indexed(txn, index, key, place))) return;
    }
  }
}

void event_table::visit(const lmdb::read_txn& txn, const target_id& id,
                        const event_visitor& visit) const {
  visit_latest(txn, by_target_, id.view(), visit);
}

void event_table::visit(const lmdb::read_txn& txn, const model_id& id,
                        const event_visitor& visit) const {
  visit_latest(txn, by_model_, id.view(), visit);
}

void event_table::visit(const lmdb::read_txn& txn, const address& id,
                        const event_visitor& visit) const {
  visit_latest(txn, by_account_, id.view(), visit);
}

}  // namespace soma::tables
