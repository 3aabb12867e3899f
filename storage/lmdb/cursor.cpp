// A position in the records of a table and of the runs above it at once: each step takes the next
// key of all of them, and where several have it, the latest says what the record is.
#include <algorithm>

#include "messages/values/assert.hpp"
#include "storage/lmdb/handles.hpp"

namespace soma::lmdb {
namespace {

/// The changes of one run that are of the cursor's table. Going forward, `at` is the next change;
/// going backward, the next one is before `at`.
struct run_position {
  std::span<const change> changes;
  std::size_t at = 0;

  [[nodiscard]] std::size_t first_from(byte_view key, bool behind_it) const {
    const auto found = std::ranges::partition_point(changes, [&](const change& c) {
      const int order = compare_keys(c.key(), key);
      return order < 0 || (behind_it && order == 0);
    });
    return static_cast<std::size_t>(found - changes.begin());
  }
};

}  // namespace

struct cursor::state {
  database table;
  sorted_run::pointer own;  // what the cursor's transaction has written
  std::shared_ptr<const run_list> above;
  std::vector<run_position> runs;  // the latest first
  MDB_cursor* at = nullptr;
  // The record of the table that comes next.
  bool there = false;
  byte_view key;
  MDB_val value{};
  enum class course : std::uint8_t { none, forward, backward } going = course::none;

  explicit state(database of) : table(of) {}
  ~state() {
    if (at != nullptr) mdb_cursor_close(at);
  }

  void add(const sorted_run& run) {
    const auto first = run.first_from(table.number(), {});
    const auto last = run.first_from(static_cast<std::uint8_t>(table.number() + 1), {});
    if (first < last) runs.push_back({run.changes().subspan(first, last - first), 0});
  }

  void move(MDB_cursor_op operation, byte_view wanted = {}) {
    MDB_val raw_key = as_value(wanted);
    const int error = mdb_cursor_get(at, &raw_key, &value, operation);
    there = error == 0;
    if (error == MDB_NOTFOUND) return;
    check(error, "move a cursor");
    key = as_view(raw_key);
  }

  /// Takes the next record on the way and returns whether there is one. An erased one is passed.
  [[nodiscard]] bool step(byte_view& found_key, byte_view& found_value) {
    const bool forward = going == course::forward;
    for (;;) {
      const change* best = nullptr;
      for (const auto& run : runs) {
        if (forward ? run.at == run.changes.size() : run.at == 0) continue;
        const auto& next = run.changes[forward ? run.at : run.at - 1];
        if (best == nullptr || comes_first(next.key(), best->key())) best = &next;
      }
      if (best == nullptr || (there && comes_first(key, best->key()))) {
        if (!there) return false;
        found_key = key;
        found_value = verified(table, key, as_view(value));
        move(forward ? MDB_NEXT : MDB_PREV);
        return true;
      }
      found_key = best->key();
      found_value = best->value();
      const bool erased = best->erased;
      pass(found_key);
      if (!erased) return true;
    }
  }

 private:
  [[nodiscard]] bool comes_first(byte_view a, byte_view b) const {
    const int order = compare_keys(a, b);
    return going == course::forward ? order < 0 : order > 0;
  }
  /// Moves on all that stand at this key.
  void pass(byte_view done) {
    const bool forward = going == course::forward;
    for (auto& run : runs) {
      if (forward) {
        if (run.at < run.changes.size() && compare_keys(run.changes[run.at].key(), done) == 0)
          ++run.at;
      } else if (run.at > 0 && compare_keys(run.changes[run.at - 1].key(), done) == 0) {
        --run.at;
      }
    }
    if (there && compare_keys(key, done) == 0) move(forward ? MDB_NEXT : MDB_PREV);
  }
};

cursor::cursor(const read_txn& txn, database table) : state_(std::make_unique<state>(table)) {
  SOMA_ASSERT(txn.state_->txn != nullptr, "the transaction has not ended");
  auto& s = *state_;
  check(mdb_cursor_open(txn.state_->txn, table.handle(), &s.at), "open a cursor");
  s.above = txn.state_->above;
  if (!s.above) return;
  s.own = txn.state_->written.run_of(table.number());
  if (s.own) s.add(*s.own);
  for (const auto& run : s.above->runs()) s.add(*run);
}

cursor::~cursor() = default;

bool cursor::forward_from(byte_view key, bool includes_key) {
  auto& s = *state_;
  s.going = state::course::forward;
  for (auto& run : s.runs) run.at = run.first_from(key, !includes_key);
  s.move(MDB_SET_RANGE, key);
  if (s.there && !includes_key && compare_keys(s.key, key) == 0) s.move(MDB_NEXT);
  return s.step(key_, value_);
}

/// To the last record before this key, or to the last of all.
bool cursor::backward_from(std::optional<byte_view> key) {
  auto& s = *state_;
  s.going = state::course::backward;
  for (auto& run : s.runs) run.at = key ? run.first_from(*key, false) : run.changes.size();
  if (key) s.move(MDB_SET_RANGE, *key);
  s.move(key && s.there ? MDB_PREV : MDB_LAST);
  return s.step(key_, value_);
}

bool cursor::first() {
  auto& s = *state_;
  s.going = state::course::forward;
  for (auto& run : s.runs) run.at = 0;
  s.move(MDB_FIRST);
  return s.step(key_, value_);
}
bool cursor::last() {
  return backward_from(std::nullopt);
}
bool cursor::next() {
  auto& s = *state_;
  if (s.going == state::course::none) return first();
  if (s.going == state::course::forward) return s.step(key_, value_);
  const bytes from(key_.begin(), key_.end());
  return forward_from(from, false);
}
bool cursor::previous() {
  auto& s = *state_;
  if (s.going == state::course::none) return last();
  if (s.going == state::course::backward) return s.step(key_, value_);
  const bytes from(key_.begin(), key_.end());
  return backward_from(from);
}

bool cursor::at_least(byte_view key) {
  SOMA_ASSERT(!key.empty() && key.size() <= max_key_bytes, "a key has 1..511 bytes");
  return forward_from(key, true);
}

}  // namespace soma::lmdb
