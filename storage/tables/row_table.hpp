// rows: row key -> the row's canonical message. It holds all tables of the ledger, in the order in
// which they enter the state root; the stored keys and values are exactly those that enter it.
//
//   1 chain            -                                -> ChainRow
//   2 account          address                          -> AccountRow
//   3 validator        address                          -> ValidatorRow
//   4 model            model id                         -> ModelRow
//   5 model_version    model id ‖ version (u32 BE)      -> ModelVersionRow
//   6 target           target id                        -> TargetRow
//   7 submission       target id                        -> SubmissionRow
//   8 used_data        data hash                        -> UsedDataRow
//
// and the tables that only the rules read, by their numbers in messages/values/rows.hpp.
//
// targets_open: epoch (u64 BE) ‖ target id -> (). It lists the targets whose status is open and is
// updated with `rows` in the same transaction.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "messages/values/rows.hpp"
#include "storage/lmdb/transaction.hpp"

namespace soma::tables {

/// Is called in the order of keys until it returns false. The views die with the call.
using row_visitor = std::function<bool(byte_view key, byte_view value)>;

class row_table {
 public:
  static constexpr const char* name = "rows";
  static constexpr const char* index_name = "targets_open";
  explicit row_table(const lmdb::environment& env);

  /// Asserts that the key is a row's key and, for a target, that the value decodes.
  void apply(lmdb::write_txn& txn, const row_change& change) const;
  /// Adds a row behind all others, for filling a table in the order of its keys.
  void append(lmdb::write_txn& txn, byte_view key, byte_view value) const;
  [[nodiscard]] std::optional<byte_view> find(const lmdb::read_txn& txn, byte_view key) const;
  /// Visits rows, from the first key that is not below `first`.
  void scan_from(const lmdb::read_txn& txn, byte_view first, const row_visitor& visit) const;
  /// Visits rows whose key begins with `prefix`; an empty prefix visits all rows.
  void scan(const lmdb::read_txn& txn, byte_view prefix, const row_visitor& visit) const;

  [[nodiscard]] std::optional<chain_row> chain(const lmdb::read_txn& txn) const;
  [[nodiscard]] std::optional<account_row> account(const lmdb::read_txn& txn,
                                                   const address& id) const;
  [[nodiscard]] std::optional<validator_row> validator(const lmdb::read_txn& txn,
                                                       const address& id) const;
  [[nodiscard]] std::optional<model_row> model(const lmdb::read_txn& txn, const model_id& id) const;
  [[nodiscard]] std::optional<model_version_row> model_version(const lmdb::read_txn& txn,
                                                               const model_version_ref& id) const;
  [[nodiscard]] std::optional<target_row> target(const lmdb::read_txn& txn,
                                                 const target_id& id) const;
  [[nodiscard]] std::optional<submission_row> submission(const lmdb::read_txn& txn,
                                                         const target_id& id) const;
  [[nodiscard]] std::optional<used_data_row> used_data(const lmdb::read_txn& txn,
                                                       const data_hash& id) const;
  /// Returned in the order of ids.
  [[nodiscard]] std::vector<target_id> open_targets(const lmdb::read_txn& txn,
                                                    epoch_number epoch) const;

 private:
  void index_target(lmdb::write_txn& txn, const row_change& change) const;

  lmdb::database rows_;
  lmdb::database open_;
};

}  // namespace soma::tables
