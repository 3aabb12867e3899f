// transactions: where each transaction lies in the chain. Ids are random, so that in one tree of
// all ids each block would change as many pages as it has transactions, and the more so the longer
// the chain is. Therefore the ids are kept in runs. A run holds the transactions of some blocks
// that follow each other, and never changes. Sixteen runs of one tier become one run of the next
// tier, except those that have 2^16 transactions already. A transaction is thus written at most
// five times, always in order, and a search looks into each run. Records, with numbers in big
// endian:
//
//   0 (u8) ‖ run (u64)                -> tier (u8) ‖ number of transactions (u64)
//   1 (u8) ‖ run (u64) ‖ last (u64)   -> up to 112 entries, ascending; `last` is the first field of
//                                        the last entry
//   run    the height of the last block of the run
//   entry  the first 8 bytes of the id ‖ run minus height (u32) ‖ index in the block (u32)
//
// Several transactions may begin with the same 8 bytes, so whoever finds a place compares the id
// with that of the transaction that lies there.
#pragma once

#include <functional>
#include <vector>

#include "messages/values/blocks.hpp"
#include "storage/lmdb/transaction.hpp"

namespace soma::tables {

/// Where a transaction lies in the chain.
struct transaction_place {
  block_height height;
  std::uint32_t index = 0;
  friend auto operator<=>(const transaction_place&, const transaction_place&) = default;
};

/// Returns false to end a visit.
using place_visitor = std::function<bool(const transaction_place&)>;

class transaction_index {
 public:
  static constexpr const char* name = "transactions";
  explicit transaction_index(const lmdb::environment& env);

  /// Adds the transactions of one block. `ids` holds them in the order of the block, whose height
  /// is above that of all blocks before it.
  void add(lmdb::write_txn& txn, block_height height, std::span<const transaction_id> ids) const;
  /// Visits the places of transactions whose id begins like this one, from the latest on, until
  /// visit returns false.
  void visit(const lmdb::read_txn& txn, const transaction_id& id, const place_visitor& visit) const;

 private:
  struct run;
  struct entry;
  [[nodiscard]] std::vector<run> last_runs_of(const lmdb::read_txn& txn, std::uint8_t tier,
                                              std::uint64_t before) const;
  void read_entries(const lmdb::read_txn& txn, const run& from, std::vector<entry>& into,
                    std::vector<bytes>& keys) const;
  void write_run(lmdb::write_txn& txn, const run& made, std::vector<entry> entries) const;

  lmdb::database table_;
};

}  // namespace soma::tables
