// events: height (u64 BE) ‖ index in the block (u32 BE) -> canonical Event. Height 0 holds those of
// the genesis. events_by_target, events_by_model, events_by_account: id ‖ height (u64 BE) ‖ index
// (u32 BE) -> (). Only for ids that are not zero; a model's index holds the events of all its
// versions.
#pragma once

#include <span>
#include <vector>

#include "messages/types/blocks.hpp"
#include "storage/lmdb/transaction.hpp"

namespace soma::storage {

class event_table {
 public:
  static constexpr const char* name = "events";
  static constexpr const char* by_target_name = "events_by_target";
  static constexpr const char* by_model_name = "events_by_model";
  static constexpr const char* by_account_name = "events_by_account";
  explicit event_table(const lmdb::environment& env);

  /// All events of one height, in the order in which they happened.
  void append(lmdb::write_txn& txn, block_height height, std::span<const event> events) const;
  [[nodiscard]] std::vector<event> at(const lmdb::read_txn& txn, block_height height) const;
  /// The latest events, at most `limit` of them, the latest first.
  [[nodiscard]] std::vector<event> of(const lmdb::read_txn& txn, const target_id& id,
                                      std::size_t limit) const;
  [[nodiscard]] std::vector<event> of(const lmdb::read_txn& txn, const model_id& id,
                                      std::size_t limit) const;
  [[nodiscard]] std::vector<event> of(const lmdb::read_txn& txn, const address& id,
                                      std::size_t limit) const;

 private:
  [[nodiscard]] std::vector<event> latest(const lmdb::read_txn& txn, lmdb::database index,
                                          byte_view id, std::size_t limit) const;

  lmdb::database events_;
  lmdb::database by_target_;
  lmdb::database by_model_;
  lmdb::database by_account_;
};

}  // namespace soma::storage
