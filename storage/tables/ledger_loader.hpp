// Fills an empty ledger with more rows than one transaction should hold. What must hold: until
// finish returns the ledger counts as empty (no chain row, no genesis), so what a kill leaves half
// filled is never taken for a ledger; its folder is of no further use.
#pragma once

#include <map>
#include <optional>

#include "storage/tables/ledger_store.hpp"

namespace soma::tables {

class ledger_loader {
 public:
  /// Asserts that the store is not initialised.
  explicit ledger_loader(ledger_store& empty);

  /// Keys ascend. The chain row is not among them.
  void add(byte_view key, byte_view value);
  /// The same in any order; slower. Not both in one ledger.
  void put(byte_view key, byte_view value);
  /// The rest, durable when it returns. A chain row above height 0 is that of a ledger whose blocks
  /// are not here: then `ends` prove how the epochs before its own ended, the last one at least
  /// (asserted).
  void finish(byte_view genesis, byte_view chain_row,
              const std::map<epoch_number, epoch_proof>& ends = {});

 private:
  void filled(std::size_t bytes);
  ledger_store& store_;
  std::optional<lmdb::write_txn> filling_;
  std::size_t bytes_ = 0;  // in this transaction
};

}  // namespace soma::tables
