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
// Four tables follow the targets and models in the same transaction, so that a question about a few
// of them, or how many there are, costs no time for all that ever were:
//
// targets_by_epoch: epoch (u64 BE) ‖ target id -> status (u8), for every target.
// targets_undecided: the same for the targets that are open, filled or revealed.
// target_counts: status (u8) -> how many targets have it (u64 BE).
// model_counts: the same for models.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "messages/values/rows.hpp"
#include "storage/lmdb/transaction.hpp"

namespace soma::tables {

/// Is called in the order of keys until it returns false. The views die with the call.
using row_visitor = std::function<bool(byte_view key, byte_view value)>;

/// The indices of targets and models; see above.
enum class row_index : std::uint8_t {
  targets_by_epoch,
  targets_undecided,
  target_counts,
  model_counts,
};

/// A target and how it stands, as the indices of targets know it.
struct listed_status {
  target_id id;
  epoch_number epoch;  // in which it was opened
  target_status status{};
  friend bool operator==(const listed_status&, const listed_status&) = default;

  /// Reads a record of targets_by_epoch or targets_undecided; nullopt if it is none.
  [[nodiscard]] static std::optional<listed_status> parse(byte_view key, byte_view value);
};

class row_table {
 public:
  static constexpr const char* name = "rows";
  static constexpr const char* by_epoch_name = "targets_by_epoch";
  static constexpr const char* undecided_name = "targets_undecided";
  static constexpr const char* counts_name = "target_counts";
  static constexpr const char* model_counts_name = "model_counts";
  /// The names of all its tables, for the options of an environment that holds them.
  [[nodiscard]] static std::vector<std::string> names();
  explicit row_table(const lmdb::environment& env);

  /// Asserts that the key is a row's key and, for a target or a model, that the value decodes.
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
  /// Visits the records of an index, from the first key that is not below `first`.
  void scan_index(const lmdb::read_txn& txn, row_index index, byte_view first,
                  const row_visitor& visit) const;
  /// The targets that were opened in epochs `first` to `last`, both included, in the order of
  /// epochs and ids.
  [[nodiscard]] std::vector<listed_status> targets_of(const lmdb::read_txn& txn, epoch_number first,
                                                      epoch_number last) const;
  /// All targets that are open, filled or revealed, in the order of epochs and ids.
  [[nodiscard]] std::vector<listed_status> undecided_targets(const lmdb::read_txn& txn) const;
  /// How many targets there are with each status that any has.
  [[nodiscard]] std::map<target_status, std::uint64_t> target_counts(
      const lmdb::read_txn& txn) const;
  /// The same for models.
  [[nodiscard]] std::map<model_status, std::uint64_t> model_counts(const lmdb::read_txn& txn) const;

 private:
  void index_target(lmdb::write_txn& txn, const row_change& change) const;
  void index_model(lmdb::write_txn& txn, const row_change& change) const;
  void count(lmdb::write_txn& txn, lmdb::database counts, std::uint8_t status, bool more) const;

  lmdb::database rows_;
  lmdb::database by_epoch_;
  lmdb::database undecided_;
  lmdb::database counts_;
  lmdb::database model_counts_;
};

}  // namespace soma::tables
