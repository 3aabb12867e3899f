#include "deploy/soma/genesis/genesis_report.hpp"

#include <algorithm>

#include "actors/rules/audit.hpp"
#include "actors/rules/emission.hpp"
#include "actors/rules/genesis_state.hpp"
#include "actors/rules/voting_power.hpp"
#include "deploy/soma/genesis/genesis_fields.hpp"
#include "deploy/soma/shell/console.hpp"
#include "deploy/soma/shell/units.hpp"
#include "messages/crypto/ed25519.hpp"

namespace soma::cli {
namespace {

struct allocations {
  shannons accounts, stakes, pool;
};

allocations allocations_of(const soma::genesis& genesis) {
  allocations out;
  for (const auto& account : genesis.accounts) out.accounts.value += account.balance.value;
  for (const auto& validator : genesis.validators) out.stakes.value += validator.stake.value;
  out.pool.value = supply_cap.value - out.accounts.value - out.stakes.value;
  return out;
}

/// The committee_size validators with the largest stakes; of equal stakes the lower address is
/// taken. They are then ordered by address.
std::vector<rules::power_share> first_committee(const soma::genesis& genesis) {
  std::vector<rules::power_share> members;
  for (const auto& validator : genesis.validators) {
    members.push_back({crypto::address_of(validator.consensus_key), validator.stake, 0});
  }
  std::ranges::sort(members, [](const auto& a, const auto& b) {
    return a.stake != b.stake ? a.stake > b.stake : a.member < b.member;
  });
  if (members.size() > genesis.parameters.committee_size) {
    members.resize(genesis.parameters.committee_size);
  }
  rules::assign_power(members, genesis.parameters.max_power);
  return members;
}

}  // namespace

json genesis_json(const soma::genesis& genesis) {
  json::object parameters;
  for (const auto& field : genesis_fields()) {
    parameters.emplace_back(std::string(field.name) + (field.is_amount ? "_shannons" : ""),
                            field.value(genesis.parameters));
  }
  json::array accounts, committee, validators;
  for (const auto& account : genesis.accounts) {
    accounts.push_back(
        json::of({{"address", account.owner.text()}, {"balance_shannons", account.balance.value}}));
  }
  for (const auto& validator : genesis.validators) {
    validators.push_back(json::of({{"address", crypto::address_of(validator.consensus_key).text()},
                                   {"consensus_key", "0x" + to_hex(validator.consensus_key)},
                                   {"stake_shannons", validator.stake.value}}));
  }
  for (const auto& member : first_committee(genesis)) {
    committee.push_back(json::of({{"address", member.member.text()},
                                  {"stake_shannons", member.stake.value},
                                  {"power", member.power.value}}));
  }
  const auto money = allocations_of(genesis);
  const auto first =
      rules::emission_of(money.pool, genesis.parameters.emission_epochs, epoch_number{0});
  const auto split = rules::split_emission(first, genesis.parameters.target_share_bps);
  return json::of(
      {{"name", genesis.name},
       {"chain", signing::chain_id_of(genesis).text()},
       {"start_ms", genesis.start_ms},
       {"parameters", json(std::move(parameters))},
       {"accounts", json(std::move(accounts))},
       {"validators", json(std::move(validators))},
       {"allocated_shannons", money.accounts.value + money.stakes.value},
       {"emission", json::of({{"pool_shannons", money.pool.value},
                              {"epochs", genesis.parameters.emission_epochs},
                              {"first_epoch_shannons", first.value},
                              {"first_epoch_targets_shannons", split.targets.value},
                              {"first_epoch_validators_shannons", split.validators.value}})},
       {"largest_data_bytes", rules::largest_data_bytes(genesis.parameters)},
       {"committee", json(std::move(committee))}});
}

std::string data_limit_text(const genesis_parameters& p) {
  return "at most " + count_text(rules::largest_data_bytes(p)) +
         " bytes a submission; an audit costs " +
         count_text(p.models_per_target * rules::products_per_byte(p.architecture)) +
         " multiplications a byte";
}

std::vector<std::string> committee_lines(const soma::genesis& genesis) {
  table members({"validator", "stake", "power of 10,000"});
  for (const auto& member : first_committee(genesis)) {
    members.row({member.member.text(), to_text(member.stake), count_text(member.power.value)});
  }
  return members.lines();
}

std::vector<std::string> genesis_lines(const soma::genesis& genesis) {
  const auto money = allocations_of(genesis);
  const auto& p = genesis.parameters;
  const auto first = rules::emission_of(money.pool, p.emission_epochs, epoch_number{0});
  const auto split = rules::split_emission(first, p.target_share_bps);
  std::vector<std::string> lines{
      "name      " + genesis.name,
      "chain     " + signing::chain_id_of(genesis).text(),
      "start     " + time_text(genesis.start_ms),
      "epochs    of " + duration_text(static_cast<double>(p.epoch_ms) / 1'000),
      "accounts  " + count_text(genesis.accounts.size()) + " with " + to_text(money.accounts),
      "stakes    " + to_text(money.stakes) + " of " + count_text(genesis.validators.size()) +
          (genesis.validators.size() == 1 ? " validator" : " validators"),
      "emission  " + to_text(money.pool) + " over " + count_text(p.emission_epochs) +
          " epochs; the first releases " + to_text(first) + ": " + to_text(split.targets) +
          " to targets, " + to_text(split.validators) + " to validators",
      "data      " + data_limit_text(p),
      ""};
  const auto append = [&](const table& part) {
    for (auto& line : part.lines()) lines.push_back(std::move(line));
    lines.emplace_back();
  };
  if (!genesis.accounts.empty()) {
    table accounts({"account", "balance"});
    for (const auto& account : genesis.accounts) {
      accounts.row({account.owner.text(), to_text(account.balance)});
    }
    append(accounts);
  }
  for (auto& line : committee_lines(genesis)) lines.push_back(std::move(line));
  lines.emplace_back();
  table parameters({"parameter", "value", "meaning"});
  for (const auto& field : genesis_fields()) {
    parameters.row({std::string(field.name), field.text(p), std::string(field.meaning)});
  }
  for (auto& line : parameters.lines()) lines.push_back(std::move(line));
  return lines;
}

}  // namespace soma::cli
