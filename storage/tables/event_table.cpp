#include "storage/tables/event_table.hpp"

#include <algorithm>

#include "storage/tables/keys.hpp"
#include "storage/tables/stored.hpp"

namespace soma::storage {

event_table::event_table(const lmdb::environment& env)
    : events_(env.table(name)),
      by_target_(env.table(by_target_name)),
      by_model_(env.table(by_model_name)),
      by_account_(env.table(by_account_name)) {}

void event_table::append(lmdb::write_txn& txn, block_height height,
                         std::span<const event> events) const {
  for (std::uint32_t index = 0; index < events.size(); ++index) {
    const event& happened = events[index];
    ordered_key key;
    key.add(height).add_u32(index);
    txn.put(events_, key.view(), encode(happened));
    const auto put_index = [&](lmdb::database table, const auto& id) {
      if (id.is_zero()) return;
      ordered_key place;
      place.add(id).add(height).add_u32(index);
      txn.put(table, place.view(), {});
    };
    put_index(by_target_, happened.target);
    put_index(by_model_, happened.model.model);
    put_index(by_account_, happened.account);
  }
}

std::vector<event> event_table::at(const lmdb::read_txn& txn, block_height height) const {
  std::vector<event> found;
  ordered_key prefix;
  prefix.add(height);
  lmdb::scan_prefix(txn, events_, prefix.view(), [&](byte_view key, byte_view value) {
    found.push_back(decode_stored<event>(events_, key, value));
    return true;
  });
  return found;
}

std::vector<event> event_table::latest(const lmdb::read_txn& txn, lmdb::database index,
                                       byte_view id, std::size_t limit) const {
  std::vector<event> found;
  // One byte more than any key of this id has: the first key behind them, if there is one.
  bytes behind(id.begin(), id.end());
  behind.resize(id.size() + 13, 0xFF);
  lmdb::cursor at(txn, index);
  bool there = at.at_least(behind) ? at.previous() : at.last();
  for (; there && found.size() < limit; there = at.previous()) {
    const byte_view key = at.key();
    if (!std::ranges::equal(key.first(id.size()), id)) break;
    const byte_view place = key.subspan(id.size());
    auto happened = find_stored<event>(txn, events_, place);
    if (!happened) {
      throw lmdb::failure(lmdb::failure_code::corrupt_record, "an index names no event",
                          std::string(index.name()), bytes(key.begin(), key.end()));
    }
    found.push_back(std::move(*happened));
  }
  return found;
}

std::vector<event> event_table::of(const lmdb::read_txn& txn, const target_id& id,
                                   std::size_t limit) const {
  return latest(txn, by_target_, id.view(), limit);
}

std::vector<event> event_table::of(const lmdb::read_txn& txn, const model_id& id,
                                   std::size_t limit) const {
  return latest(txn, by_model_, id.view(), limit);
}

std::vector<event> event_table::of(const lmdb::read_txn& txn, const address& id,
                                   std::size_t limit) const {
  return latest(txn, by_account_, id.view(), limit);
}

}  // namespace soma::storage
