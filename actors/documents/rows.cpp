#include "actors/documents/rows.hpp"

#include <algorithm>

#include "actors/explain/names.hpp"
#include "messages/codec/codec.hpp"
#include "messages/codec/codec_proofs.hpp"
#include "messages/signing/signing.hpp"

namespace soma::documents {
namespace {

struct named_table {
  ledger_table table;
  std::string_view name;
};
constexpr named_table tables[] = {
    {ledger_table::chain, "chain"},
    {ledger_table::account, "account"},
    {ledger_table::validator, "validator"},
    {ledger_table::model, "model"},
    {ledger_table::model_version, "model_version"},
    {ledger_table::target, "target"},
    {ledger_table::submission, "submission"},
    {ledger_table::used_data, "used_data"},
    {ledger_table::agenda, "agenda"},
    {ledger_table::stake, "stake"},
    {ledger_table::consensus_key, "consensus_key"},
    {ledger_table::committee, "committee"},
    {ledger_table::evidence, "evidence"},
    {ledger_table::onion, "onion"},
    {ledger_table::known_weights, "known_weights"},
    {ledger_table::list, "list"},
};

value fields_of(const account_row& row) {
  return value::of({{"balance_shannons", row.balance.value}, {"nonce", row.nonce}});
}
value fields_of(const validator_row& row) {
  return value::of({{"stake_shannons", row.pool.stake.value},
                    {"commission_bps", row.commission_bps},
                    {"wants_seat", row.wants_seat}});
}
value fields_of(const model_row& row) {
  return value::of({{"owner", row.owner.text()},
                    {"status", explain::name_of(row.status)},
                    {"stake_shannons", row.pool.stake.value},
                    {"commission_bps", row.commission_bps},
                    {"active_version", row.active_version},
                    {"latest_version", row.latest_version}});
}
value fields_of(const target_row& row) {
  value assigned = value::list();
  for (const auto& version : row.assigned) {
    assigned.push(version.model.text() + " version " + std::to_string(version.version));
  }
  return value::of({{"epoch", row.epoch.value},
                    {"opened_at", row.opened_at.value},
                    {"status", explain::name_of(row.status)},
                    {"reward_shannons", row.reward.value},
                    {"radius_q30", row.radius_q30},
                    {"assigned", std::move(assigned)}});
}
value fields_of(const submission_row& row) {
  return value::of({{"submitter", row.submitter.text()},
                    {"winner", row.winner.model.text()},
                    {"bond_shannons", row.bond.value},
                    {"claimed_at", row.claimed_at.value},
                    {"revealed", row.revealed_at.has_value()}});
}
value fields_of(const chain_row& row) {
  return value::of({{"height", row.height.value},
                    {"epoch", row.epoch.value},
                    {"time_ms", row.time_ms},
                    {"active_models", row.active_models},
                    {"open_targets", row.open_targets}});
}
value fields_of(const list_row& row) {
  value ids = value::list();
  for (const auto& id : row.ids) ids.push(id.text());
  return value::of({{"ids", std::move(ids)}});
}
value fields_of(const used_data_row& row) {
  return value::of({{"target", row.target.text()}});
}

template <class Row>
value decoded_fields(byte_view row_value) {
  const auto row = decode<Row>(row_value);
  return row ? fields_of(*row) : value();
}

std::string hex(byte_view data) {
  return "0x" + to_hex(data);
}

}  // namespace

std::string_view table_name(byte_view key) {
  for (const auto& one : tables) {
    if (!key.empty() && key[0] == static_cast<std::uint8_t>(one.table)) return one.name;
  }
  return "row";
}

std::optional<ledger_table> table_named(std::string_view name) {
  const auto found = std::ranges::find(tables, name, &named_table::name);
  return found == std::end(tables) ? std::nullopt : std::optional(found->table);
}

std::vector<std::string> table_names() {
  std::vector<std::string> all;
  for (const auto& one : tables) all.emplace_back(one.name);
  return all;
}

value row_fields(byte_view key, byte_view row_value) {
  const auto table = table_of(key);
  if (!table) return {};
  switch (*table) {
    case ledger_table::chain:
      return decoded_fields<chain_row>(row_value);
    case ledger_table::list:
      return decoded_fields<list_row>(row_value);
    case ledger_table::account:
      return decoded_fields<account_row>(row_value);
    case ledger_table::validator:
      return decoded_fields<validator_row>(row_value);
    case ledger_table::model:
      return decoded_fields<model_row>(row_value);
    case ledger_table::target:
      return decoded_fields<target_row>(row_value);
    case ledger_table::submission:
      return decoded_fields<submission_row>(row_value);
    case ledger_table::used_data:
      return decoded_fields<used_data_row>(row_value);
    default:
      return {};
  }
}

value proof_json(const proven_row& proven) {
  const auto& header = proven.header;
  value leaf = value::list(), siblings = value::list();
  for (const auto& row : proven.proof.leaf) {
    leaf.push(value::of({{"key_hash", row.key.text()}, {"value_hash", row.value.text()}}));
  }
  for (const auto& one : proven.proof.siblings) siblings.push(one.text());
  return value::of({{"height", header.height.value},
                    {"epoch", header.epoch.value},
                    {"block", signing::id_of(header).text()},
                    {"state_root", header.state_root.text()},
                    {"table", table_name(proven.key)},
                    {"key", hex(proven.key)},
                    {"present", proven.value.has_value()},
                    {"value", proven.value ? value(hex(*proven.value)) : value()},
                    {"row", proven.value ? row_fields(proven.key, *proven.value) : value()},
                    {"ledger_rows", proven.proof.totals.rows},
                    {"ledger_bytes", proven.proof.totals.bytes},
                    {"leaf", std::move(leaf)},
                    {"siblings", std::move(siblings)}});
}

}  // namespace soma::documents
