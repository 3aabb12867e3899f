#include "storage/tables/row_table.hpp"

#include "messages/values/assert.hpp"
#include "storage/tables/keys.hpp"
#include "storage/tables/stored.hpp"

namespace soma::tables {

row_table::row_table(const lmdb::environment& env)
    : rows_(env.table(name)), open_(env.table(index_name)) {}

void row_table::index_target(lmdb::write_txn& txn, const row_change& change) const {
  const auto id = id_in_key<target_id>(change.key);
  SOMA_ASSERT(id.has_value(), "a target's key holds its id");
  const auto place = [&](const target_row& row) {
    ordered_key key;
    key.add(row.epoch).add(*id);
    return key;
  };
  if (const auto before = target(txn, *id); before && before->status == target_status::open) {
    txn.erase(open_, place(*before).view());
  }
  if (!change.value) return;
  const auto after = decode_own<target_row>(*change.value);
  SOMA_ASSERT(after.has_value(), "a row that is stored decodes");
  if (after->status == target_status::open) txn.put(open_, place(*after).view(), {});
}

void row_table::apply(lmdb::write_txn& txn, const row_change& change) const {
  const auto table = table_of(change.key);
  SOMA_ASSERT(table.has_value(), "a row's key is one of a table of the ledger");
  if (*table == ledger_table::target) index_target(txn, change);
  if (change.value) {
    txn.put(rows_, change.key, *change.value);
  } else {
    txn.erase(rows_, change.key);
  }
}

void row_table::append(lmdb::write_txn& txn, byte_view key, byte_view value) const {
  const auto table = table_of(key);
  SOMA_ASSERT(table.has_value(), "a row's key is one of a table of the ledger");
  if (*table == ledger_table::target) {
    index_target(txn, {row_key(key.begin(), key.end()), bytes(value.begin(), value.end())});
  }
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

std::vector<target_id> row_table::open_targets(const lmdb::read_txn& txn,
                                               epoch_number epoch) const {
  std::vector<target_id> found;
  ordered_key prefix;
  prefix.add(epoch);
  lmdb::scan_prefix(txn, open_, prefix.view(), [&](byte_view key, byte_view) {
    const auto id = target_id::from(key.subspan(prefix.view().size()));
    SOMA_ASSERT(id.has_value(), "a key of targets_open ends in an id");
    found.push_back(*id);
    return true;
  });
  return found;
}

}  // namespace soma::tables
