// events: height (u64 BE) ‖ index in the block (u32 BE) -> links ‖ canonical Event. Height 0 holds
// the events of the genesis.
// events_by_target, events_by_model, events_by_account: id -> the key of the latest event that
// names the id. An id that is zero is not indexed. A model's index holds the events of all its
// versions. An account's index also holds the events that name it as the other account.
//
// The links of an event lead to the event before it for each id that it names, so that the events
// of an id are a list, the latest first. The indices thus have one record for an id and not one for
// an event: they do not grow with the chain, and a block changes few of their pages. Links are:
//   which of the four there are (u8) | the key of an event for each that there is
// Bit 0 stands for the target, 1 for the model, 2 for the account and 3 for the other account.
// There is no link where there was no event before, nor for the other account if it is the account.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "messages/values/blocks.hpp"
#include "storage/lmdb/transaction.hpp"

namespace soma::tables {

/// Is called for one event after the other until it returns false.
using event_visitor = std::function<bool(const event&)>;

/// Where an event stands: the height of its block, and its number in the block, from 0.
struct event_position {
  block_height height;
  std::uint32_t index = 0;
  friend auto operator<=>(const event_position&, const event_position&) = default;
};
using placed_event_visitor = std::function<bool(const event_position&, const event&)>;

class event_table {
 public:
  static constexpr const char* name = "events";
  static constexpr const char* by_target_name = "events_by_target";
  static constexpr const char* by_model_name = "events_by_model";
  static constexpr const char* by_account_name = "events_by_account";
  explicit event_table(const lmdb::environment& env);

  /// Appends all events of one height, in the order in which they happened.
  void append(lmdb::write_txn& txn, block_height height, std::span<const event> events) const;
  [[nodiscard]] std::vector<event> at(const lmdb::read_txn& txn, block_height height) const;
  /// Visits the events of heights `first` to `last`, both included, in the order in which they
  /// happened.
  void visit(const lmdb::read_txn& txn, block_height first, block_height last,
             const event_visitor& visit) const;
  /// Visits the events from this place on, in the order in which they happened.
  void visit_from(const lmdb::read_txn& txn, const event_position& first,
                  const placed_event_visitor& visit) const;
  /// Visits the events of one id with their places, the latest first.
  void visit_back(const lmdb::read_txn& txn, const target_id& id,
                  const placed_event_visitor& visit) const;
  void visit_back(const lmdb::read_txn& txn, const model_id& id,
                  const placed_event_visitor& visit) const;
  void visit_back(const lmdb::read_txn& txn, const address& id,
                  const placed_event_visitor& visit) const;
  /// Visits the events of one id, the latest first. Id is target_id, model_id or address.
  template <class Id>
  void visit(const lmdb::read_txn& txn, const Id& id, const event_visitor& visit) const {
    visit_back(txn, id, [&](const event_position&, const event& found) { return visit(found); });
  }
  /// Returns the latest events, at most `limit` of them, the latest first.
  template <class Id>
  [[nodiscard]] std::vector<event> of(const lmdb::read_txn& txn, const Id& id,
                                      std::size_t limit) const {
    std::vector<event> found;
    if (limit == 0) return found;
    visit(txn, id, [&](const event& happened) {
      found.push_back(happened);
      return found.size() < limit;
    });
    return found;
  }

 private:
  void visit_latest(const lmdb::read_txn& txn, lmdb::database index, byte_view id,
                    const placed_event_visitor& visit) const;

  lmdb::database events_;
  lmdb::database by_target_;
  lmdb::database by_model_;
  lmdb::database by_account_;
};

}  // namespace soma::tables
