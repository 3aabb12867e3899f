// Fills an empty ledger with more rows than one transaction should hold. What must hold: until
// finish returns, the ledger counts as empty (it has no chain row and no genesis), so a ledger that
// a kill left half filled is never used as a ledger. Its folder is of no further use.
#pragma once

#include <map>
#include <optional>

#include "storage/tables/ledger_store.hpp"

namespace soma::tables {

class ledger_loader {
 public:
  /// Asserts that the store is not initialised.
  explicit ledger_loader(ledger_store& empty);

  /// Adds a row; keys must ascend, and the chain row must not be among them.
  void add(byte_view key, byte_view value);
  /// Does the same in any order of keys, more slowly. A ledger is filled by one of the two alone.
  void put(byte_view key, byte_view value);
  /// Writes the rest and returns when it is durable. A chain row above height 0 belongs to a ledger
  /// whose blocks are not here: then `ends` prove how the epochs before the chain row's epoch
  /// ended, at least the last of them (asserted).
  void finish(byte_view genesis, byte_view chain_row,
              const std::map<epoch_number, epoch_proof>& ends = {});

 private:
  void filled(std::size_t bytes);
  ledger_store& store_;
  std::optional<lmdb::write_txn> filling_;
  std::size_t bytes_ = 0;  // written in the current transaction
};

}  // namespace soma::tables
