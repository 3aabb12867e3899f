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
    if (happened.other != happened.account) put_index(by_account_, happened.other);
  }
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

void event_table::visit_latest(const lmdb::read_txn& txn, lmdb::database index, byte_view id,
                               const event_visitor& visit) const {
  // One byte more than any key of this id has: the first key behind them, if there is one.
  bytes behind(id.begin(), id.end());
  behind.resize(id.size() + 13, 0xFF);
  lmdb::cursor at(txn, index);
  bool there = at.at_least(behind) ? at.previous() : at.last();
  for (; there; there = at.previous()) {
    const byte_view key = at.key();
    if (!std::ranges::equal(key.first(id.size()), id)) return;
    const auto happened = find_stored<event>(txn, events_, key.subspan(id.size()));
    if (!happened) {
      throw lmdb::failure(lmdb::failure_code::corrupt_record, "an index names no event",
                          std::string(index.name()), bytes(key.begin(), key.end()));
    }
    if (!visit(*happened)) return;
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

}  // namespace soma::storage
