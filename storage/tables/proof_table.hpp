// finals: height (u64 BE) -> certificate that finalizes the block of that height. Not every block
// has one: a block is also final when a block above it is.
// epoch_ends: epoch (u64 BE) -> EpochProof. It proves to others that an epoch is over; its first
// block is the one that closed the epoch. A ledger that was taken over from a snapshot has the
// proofs of the two epochs before the epoch of its first block, but not the blocks of those epochs.
#pragma once

#include <optional>

#include "messages/values/votes.hpp"
#include "storage/lmdb/transaction.hpp"

namespace soma::tables {

class proof_table {
 public:
  static constexpr const char* finals_name = "finals";
  static constexpr const char* epoch_ends_name = "epoch_ends";
  explicit proof_table(const lmdb::environment& env);

  void put(lmdb::write_txn& txn, block_height height, const certificate& final) const;
  void put(lmdb::write_txn& txn, epoch_number epoch, const epoch_proof& end) const;
  [[nodiscard]] std::optional<certificate> final_at(const lmdb::read_txn& txn,
                                                    block_height height) const;
  /// The first height, from `from` on, that has a certificate.
  [[nodiscard]] std::optional<block_height> next_final(const lmdb::read_txn& txn,
                                                       block_height from) const;
  [[nodiscard]] std::optional<epoch_proof> epoch_end(const lmdb::read_txn& txn,
                                                     epoch_number epoch) const;

 private:
  lmdb::database finals_;
  lmdb::database epoch_ends_;
};

}  // namespace soma::tables
