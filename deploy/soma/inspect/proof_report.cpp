#include "deploy/soma/inspect/proof_report.hpp"

#include <algorithm>

#include "actors/explain/names.hpp"
#include "deploy/soma/shell/console.hpp"

#include "deploy/soma/shell/units.hpp"
#include "messages/codec/codec_proofs.hpp"
#include "messages/signing/signing.hpp"

namespace soma::cli {
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
};

json fields_of(const account_row& row) {
  return json::of({{"balance_shannons", row.balance.value}, {"nonce", row.nonce}});
}
json fields_of(const validator_row& row) {
  return json::of({{"stake_shannons", row.pool.stake.value},
                   {"commission_bps", row.commission_bps},
                   {"wants_seat", row.wants_seat}});
}
json fields_of(const model_row& row) {
  return json::of({{"owner", row.owner.text()},
                   {"status", explain::name_of(row.status)},
                   {"stake_shannons", row.pool.stake.value},
                   {"commission_bps", row.commission_bps},
                   {"active_version", row.active_version},
                   {"latest_version", row.latest_version}});
}
json fields_of(const target_row& row) {
  json assigned = json::list();
  for (const auto& version : row.assigned) {
    assigned.push(version.model.text() + " version " + std::to_string(version.version));
  }
  return json::of({{"epoch", row.epoch.value},
                   {"opened_at", row.opened_at.value},
                   {"status", explain::name_of(row.status)},
                   {"reward_shannons", row.reward.value},
                   {"radius_q30", row.radius_q30},
                   {"assigned", std::move(assigned)}});
}
json fields_of(const submission_row& row) {
  return json::of({{"submitter", row.submitter.text()},
                   {"winner", row.winner.model.text()},
                   {"bond_shannons", row.bond.value},
                   {"claimed_at", row.claimed_at.value},
                   {"revealed", row.revealed_at.has_value()}});
}
json fields_of(const used_data_row& row) {
  return json::of({{"target", row.target.text()}});
}

template <class Row>
json decoded_fields(byte_view value) {
  const auto row = decode<Row>(value);
  return row ? fields_of(*row) : json();
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

json row_fields(byte_view key, byte_view value) {
  const auto table = table_of(key);
  if (!table) return {};
  switch (*table) {
    case ledger_table::account:
      return decoded_fields<account_row>(value);
    case ledger_table::validator:
      return decoded_fields<validator_row>(value);
    case ledger_table::model:
      return decoded_fields<model_row>(value);
    case ledger_table::target:
      return decoded_fields<target_row>(value);
    case ledger_table::submission:
      return decoded_fields<submission_row>(value);
    case ledger_table::used_data:
      return decoded_fields<used_data_row>(value);
    default:
      return {};
  }
}

json proof_json(const proven_row& proven) {
  const auto& header = proven.header;
  json leaf = json::list(), siblings = json::list();
  for (const auto& row : proven.proof.leaf) {
    leaf.push(json::of({{"key_hash", row.key.text()}, {"value_hash", row.value.text()}}));
  }
  for (const auto& one : proven.proof.siblings) siblings.push(one.text());
  return json::of({{"height", header.height.value},
                   {"epoch", header.epoch.value},
                   {"block", signing::id_of(header).text()},
                   {"state_root", header.state_root.text()},
                   {"table", table_name(proven.key)},
                   {"key", hex(proven.key)},
                   {"present", proven.value.has_value()},
                   {"value", proven.value ? json(hex(*proven.value)) : json()},
                   {"row", proven.value ? row_fields(proven.key, *proven.value) : json()},
                   {"ledger_rows", proven.proof.totals.rows},
                   {"ledger_bytes", proven.proof.totals.bytes},
                   {"leaf", std::move(leaf)},
                   {"siblings", std::move(siblings)}});
}

void print_proof(const proven_row& proven) {
  const auto& header = proven.header;
  const std::string name(table_name(proven.key));
  table facts({"", painted(proven.value ? name : "no such " + name, colour::bold, stream::out)});
  facts.row({"key", hex(proven.key)});
  if (proven.value) {
    const auto fields = row_fields(proven.key, *proven.value);
    if (const auto* members = fields.as_object()) {
      for (const auto& [what, content] : *members) facts.row({what, content.plain()});
    }
    facts.row({"value", std::to_string(proven.value->size()) + " bytes, " + hex(*proven.value)});
  }
  facts.row({"height", std::to_string(header.height.value)});
  facts.row({"block", signing::id_of(header).text()});
  facts.row({"state root", header.state_root.text()});
  facts.row({"ledger", count_text(proven.proof.totals.rows) + " rows, " +
                           to_text(byte_count{proven.proof.totals.bytes})});
  facts.row({"proof", std::to_string(proven.proof.siblings.size()) + " siblings above a leaf of " +
                          std::to_string(proven.proof.leaf.size()) + " rows, " +
                          std::to_string(encode(proven.proof).size()) + " bytes"});
  facts.print();
}

}  // namespace soma::cli
