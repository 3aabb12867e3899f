#include "storage/tables/row_table.hpp"

#include <array>

#include "messages/values/assert.hpp"
#include "storage/tables/keys.hpp"
#include "storage/tables/stored.hpp"

namespace soma::tables {

std::vector<std::string> row_table::names() {
  return {name, by_epoch_name, undecided_name, counts_name, model_counts_name};
}

row_table::row_table(const lmdb::environment& env)
    : rows_(env.table(name)),
      by_epoch_(env.table(by_epoch_name)),
      undecided_(env.table(undecided_name)),
      counts_(env.table(counts_name)),
      model_counts_(env.table(model_counts_name)) {}

namespace {

bool is_undecided(target_status status) {
  return status == target_status::open || status == target_status::filled ||
         status == target_status::revealed;
}

std::array<std::uint8_t, 1> one_byte(target_status status) {
  return {static_cast<std::uint8_t>(status)};
}

template <class Status>
std::map<Status, std::uint64_t> counts_of(const row_table& rows, const lmdb::read_txn& txn,
                                          row_index index) {
  std::map<Status, std::uint64_t> found;
  rows.scan_index(txn, index, {}, [&](byte_view key, byte_view value) {
    const auto count = big_endian(value);
    if (count > 0) found.emplace(static_cast<Status>(key[0]), count);
    return true;
  });
  return found;
}

}  // namespace

std::optional<listed_status> listed_status::parse(byte_view key, byte_view value) {
  if (key.size() != 40 || value.size() != 1) return std::nullopt;
  if (value[0] > static_cast<std::uint8_t>(target_status::voided)) return std::nullopt;
  return listed_status{*target_id::from(key.subspan(8)),
                       {big_endian(key.first(8))},
                       static_cast<target_status>(value[0])};
}

void row_table::index_target(lmdb::write_txn& txn, const row_change& change) const {
  const auto id = id_in_key<target_id>(change.key);
  SOMA_ASSERT(id.has_value(), "a target's key holds its id");
  const auto place = [&](const target_row& row) {
    ordered_key key;
    key.add(row.epoch).add(*id);
    return key;
  };
  const auto before = target(txn, *id);
  std::optional<target_row> after;
  if (change.value) {
    const auto decoded = decode_own<target_row>(*change.value);
    SOMA_ASSERT(decoded.has_value(), "a row that is stored decodes");
    after = *decoded;
  }
  if (before) {
    if (is_undecided(before->status)) txn.erase(undecided_, place(*before).view());
    if (!after || after->epoch != before->epoch) txn.erase(by_epoch_, place(*before).view());
    count(txn, counts_, one_byte(before->status)[0], false);
  }
  if (!after) return;
  const auto status = one_byte(after->status);
  if (is_undecided(after->status)) txn.put(undecided_, place(*after).view(), status);
  txn.put(by_epoch_, place(*after).view(), status);
  count(txn, counts_, status[0], true);
}

void row_table::index_model(lmdb::write_txn& txn, const row_change& change) const {
  const auto id = id_in_key<model_id>(change.key);
  SOMA_ASSERT(id.has_value(), "a model's key holds its id");
  const auto before = model(txn, *id);
  std::optional<model_row> after;
  if (change.value) {
    const auto decoded = decode_own<model_row>(*change.value);
    SOMA_ASSERT(decoded.has_value(), "a row that is stored decodes");
    after = *decoded;
  }
  // Most changes of a model leave its status as it is.
  if (before && after && before->status == after->status) return;
  const auto number = [](const model_row& row) { return static_cast<std::uint8_t>(row.status); };
  if (before) count(txn, model_counts_, number(*before), false);
  if (after) count(txn, model_counts_, number(*after), true);
}

/// Counts one row more with this status, or one less.
void row_table::count(lmdb::write_txn& txn, lmdb::database counts, std::uint8_t status,
                      bool more) const {
  const std::array<std::uint8_t, 1> key{status};
  const auto found = txn.find(counts, key);
  const std::uint64_t before = found ? big_endian(*found) : 0;
  SOMA_ASSERT(more || before > 0, "a row was counted before it goes");
  ordered_key value;
  value.add(more ? before + 1 : before - 1);
  txn.put(counts, key, value.view());
}

void row_table::apply(lmdb::write_txn& txn, const row_change& change) const {
  const auto table = table_of(change.key);
  SOMA_ASSERT(table.has_value(), "a row's key is one of a table of the ledger");
  if (*table == ledger_table::target) index_target(txn, change);
  if (*table == ledger_table::model) index_model(txn, change);
  if (change.value) {
    txn.put(rows_, change.key, *change.value);
  } else {
    txn.erase(rows_, change.key);
  }
}

void row_table::append(lmdb::write_txn& txn, byte_view key, byte_view value) const {
  const auto table = table_of(key);
  SOMA_ASSERT(table.has_value(), "a row's key is one of a table of the ledger");
  const auto change = [&] {
    return row_change{row_key(key.begin(), key.end()), bytes(value.begin(), value.end())};
  };
  if (*table == ledger_table::target) index_target(txn, change());
  if (*table == ledger_table::model) index_model(txn, change());
  txn.append(rows_, key, value);
}

std::optional<byte_view> row_table::find(const lmdb::read_txn& txn, byte_view key) const {
  return txn.find(rows_, key);
}

void row_table::scan(const lmdb::read_txn& txn, byte_view prefix, const row_visitor& visit) const {
  lmdb::scan_prefix(txn, rows_, prefix, visit);
}

void row_table::scan_from(const lmdb::read_txn& txn, byte_view first,
                          const row_visitor& visit) const {
  lmdb::cursor at(txn, rows_);
  for (bool there = at.at_least(first); there; there = at.next()) {
    if (!visit(at.key(), at.value())) return;
  }
}

std::optional<chain_row> row_table::chain(const lmdb::read_txn& txn) const {
  return find_stored<chain_row>(txn, rows_, chain_key());
}

std::optional<account_row> row_table::account(const lmdb::read_txn& txn, const address& id) const {
  return find_stored<account_row>(txn, rows_, account_key(id));
}

std::optional<validator_row> row_table::validator(const lmdb::read_txn& txn,
                                                  const address& id) const {
  return find_stored<validator_row>(txn, rows_, validator_key(id));
}

std::optional<model_row> row_table::model(const lmdb::read_txn& txn, const model_id& id) const {
  return find_stored<model_row>(txn, rows_, model_key(id));
}

std::optional<model_version_row> row_table::model_version(const lmdb::read_txn& txn,
                                                          const model_version_ref& id) const {
  return find_stored<model_version_row>(txn, rows_, model_version_key(id));
}

std::optional<target_row> row_table::target(const lmdb::read_txn& txn, const target_id& id) const {
  return find_stored<target_row>(txn, rows_, target_key(id));
}

std::optional<submission_row> row_table::submission(const lmdb::read_txn& txn,
                                                    const target_id& id) const {
  return find_stored<submission_row>(txn, rows_, submission_key(id));
}

std::optional<used_data_row> row_table::used_data(const lmdb::read_txn& txn,
                                                  const data_hash& id) const {
  return find_stored<used_data_row>(txn, rows_, used_data_key(id));
}

void row_table::scan_index(const lmdb::read_txn& txn, row_index index, byte_view first,
                           const row_visitor& visit) const {
  const auto& table = index == row_index::targets_by_epoch    ? by_epoch_
                      : index == row_index::targets_undecided ? undecided_
                      : index == row_index::target_counts     ? counts_
                                                              : model_counts_;
  lmdb::cursor at(txn, table);
  for (bool there = first.empty() ? at.first() : at.at_least(first); there; there = at.next()) {
    if (!visit(at.key(), at.value())) return;
  }
}

std::vector<target_id> row_table::open_targets(const lmdb::read_txn& txn,
                                               epoch_number epoch) const {
  std::vector<target_id> found;
  ordered_key first;
  first.add(epoch);
  scan_index(txn, row_index::targets_undecided, first.view(), [&](byte_view key, byte_view value) {
    const auto one = listed_status::parse(key, value).value();
    if (one.epoch != epoch) return false;
    if (one.status == target_status::open) found.push_back(one.id);
    return true;
  });
  return found;
}

std::vector<listed_status> row_table::targets_of(const lmdb::read_txn& txn, epoch_number first,
                                                 epoch_number last) const {
  std::vector<listed_status> found;
  ordered_key start;
  start.add(first);
  scan_index(txn, row_index::targets_by_epoch, start.view(), [&](byte_view key, byte_view value) {
    const auto one = listed_status::parse(key, value).value();
    if (one.epoch > last) return false;
    found.push_back(one);
    return true;
  });
  return found;
}

std::vector<listed_status> row_table::undecided_targets(const lmdb::read_txn& txn) const {
  std::vector<listed_status> found;
  scan_index(txn, row_index::targets_undecided, {}, [&](byte_view key, byte_view value) {
    found.push_back(listed_status::parse(key, value).value());
    return true;
  });
  return found;
}

std::map<target_status, std::uint64_t> row_table::target_counts(const lmdb::read_txn& txn) const {
  return counts_of<target_status>(*this, txn, row_index::target_counts);
}

std::map<model_status, std::uint64_t> row_table::model_counts(const lmdb::read_txn& txn) const {
  return counts_of<model_status>(*this, txn, row_index::model_counts);
}

}  // namespace soma::tables
