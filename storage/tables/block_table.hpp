// blocks: height (u64 BE) -> canonical Block. Heights follow each other without a gap, from 1 or,
// in a ledger that began from a snapshot, from the first one after it.
// block_heights: block id -> height (u64 BE).
// Where each transaction lies: transaction_index.hpp.
#pragma once

#include <optional>

#include "messages/values/blocks.hpp"
#include "storage/lmdb/transaction.hpp"
#include "storage/tables/transaction_index.hpp"

namespace soma::tables {

class block_table {
 public:
  static constexpr const char* name = "blocks";
  static constexpr const char* heights_name = "block_heights";
  explicit block_table(const lmdb::environment& env);

  /// Asserts that the block's height is the next one, unless the table is empty.
  void append(lmdb::write_txn& txn, const block& added) const;
  /// The height of the last block; 0 before the first.
  [[nodiscard]] block_height last(const lmdb::read_txn& txn) const;
  /// The height of the first block that is here; nullopt when there is no block.
  [[nodiscard]] std::optional<block_height> first(const lmdb::read_txn& txn) const;
  [[nodiscard]] std::optional<block> at(const lmdb::read_txn& txn, block_height height) const;
  /// The canonical bytes of the block, as they are stored.
  [[nodiscard]] std::optional<bytes> bytes_at(const lmdb::read_txn& txn, block_height height) const;
  [[nodiscard]] std::optional<block_height> height_of(const lmdb::read_txn& txn,
                                                      const block_id& id) const;
  /// The last place, if the transaction is there twice.
  [[nodiscard]] std::optional<transaction_place> place_of(const lmdb::read_txn& txn,
                                                          const transaction_id& id) const;

 private:
  lmdb::database blocks_;
  lmdb::database heights_;
  transaction_index transactions_;
};

}  // namespace soma::tables
