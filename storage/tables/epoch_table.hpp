// epochs: epoch (u64 BE) -> height of its first block (u64 BE), written with that block. Epochs
// follow each other without a gap, so the block before an epoch's first one closed the previous
// epoch.
#pragma once

#include <optional>

#include "messages/values/amounts.hpp"
#include "storage/lmdb/transaction.hpp"

namespace soma::tables {

class epoch_table {
 public:
  static constexpr const char* name = "epochs";
  explicit epoch_table(const lmdb::environment& env) : table_(env.table(name)) {}

  /// Records that a block of that epoch was committed; only the first one is kept.
  void note_block(lmdb::write_txn& txn, epoch_number epoch, block_height height) const;
  /// nullopt for an epoch that has no block.
  [[nodiscard]] std::optional<block_height> first_block(const lmdb::read_txn& txn,
                                                        epoch_number epoch) const;

 private:
  lmdb::database table_;
};

}  // namespace soma::tables
