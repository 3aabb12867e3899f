#include "deploy/soma/genesis_report.hpp"

#include <algorithm>

#include "actors/rules/emission.hpp"
#include "actors/rules/genesis_state.hpp"
#include "actors/rules/voting_power.hpp"
#include "deploy/soma/console.hpp"
#include "deploy/soma/genesis_fields.hpp"
#include "deploy/soma/units.hpp"
#include "messages/crypto/ed25519.hpp"

namespace soma {
namespace {

struct allocations {
  shannons accounts, stakes, pool;
};

allocations allocations_of(const genesis& born) {
  allocations out;
  for (const auto& account : born.accounts) out.accounts.value += account.balance.value;
  for (const auto& validator : born.validators) out.stakes.value += validator.stake.value;
  out.pool.value = supply_cap.value - out.accounts.value - out.stakes.value;
  return out;
}

/// The committee_size largest by stake, ties by address; then in address order.
std::vector<rules::power_share> first_committee(const genesis& born) {
  std::vector<rules::power_share> members;
  for (const auto& validator : born.validators) {
    members.push_back({crypto::address_of(validator.consensus_key), validator.stake, 0});
  }
  std::ranges::sort(members, [](const auto& a, const auto& b) {
    return a.stake != b.stake ? a.stake > b.stake : a.member < b.member;
  });
  if (members.size() > born.parameters.committee_size) {
    members.resize(born.parameters.committee_size);
  }
  rules::assign_power(members);
  return members;
}

}  // namespace

json genesis_json(const genesis& born) {
  json::object parameters;
  for (const auto& field : genesis_fields()) {
    parameters.emplace_back(std::string(field.name) + (field.is_amount ? "_shannons" : ""),
                            field.value(born.parameters));
  }
  json::array accounts, committee, validators;
  for (const auto& account : born.accounts) {
    accounts.push_back(
        json::of({{"address", account.owner.text()}, {"balance_shannons", account.balance.value}}));
  }
  for (const auto& validator : born.validators) {
    validators.push_back(json::of({{"address", crypto::address_of(validator.consensus_key).text()},
                                   {"consensus_key", "0x" + to_hex(validator.consensus_key)},
                                   {"stake_shannons", validator.stake.value}}));
  }
  for (const auto& member : first_committee(born)) {
    committee.push_back(json::of({{"address", member.member.text()},
                                  {"stake_shannons", member.stake.value},
                                  {"power", member.power}}));
  }
  const auto money = allocations_of(born);
  const auto first =
      rules::emission_of(money.pool, born.parameters.emission_epochs, epoch_number{0});
  const auto split = rules::split_emission(first, born.parameters.target_share_bps);
  return json::of(
      {{"name", born.name},
       {"chain", rules::chain_id_of(born).text()},
       {"start_ms", born.start_ms},
       {"parameters", json(std::move(parameters))},
       {"accounts", json(std::move(accounts))},
       {"validators", json(std::move(validators))},
       {"allocated_shannons", money.accounts.value + money.stakes.value},
       {"emission", json::of({{"pool_shannons", money.pool.value},
                              {"epochs", born.parameters.emission_epochs},
                              {"first_epoch_shannons", first.value},
                              {"first_epoch_targets_shannons", split.targets.value},
                              {"first_epoch_validators_shannons", split.validators.value}})},
       {"committee", json(std::move(committee))}});
}

std::vector<std::string> committee_lines(const genesis& born) {
  table members({"validator", "stake", "power of 10,000"});
  for (const auto& member : first_committee(born)) {
    members.row({member.member.text(), to_text(member.stake), count_text(member.power)});
  }
  return members.lines();
}

std::vector<std::string> genesis_lines(const genesis& born) {
  const auto money = allocations_of(born);
  const auto& p = born.parameters;
  const auto first = rules::emission_of(money.pool, p.emission_epochs, epoch_number{0});
  const auto split = rules::split_emission(first, p.target_share_bps);
  std::vector<std::string> lines{
      "name      " + born.name,
      "chain     " + rules::chain_id_of(born).text(),
      "start     " + time_text(born.start_ms),
      "epochs    of " + duration_text(static_cast<double>(p.epoch_ms) / 1'000),
      "accounts  " + count_text(born.accounts.size()) + " with " + to_text(money.accounts),
      "stakes    " + to_text(money.stakes) + " of " + count_text(born.validators.size()) +
          (born.validators.size() == 1 ? " validator" : " validators"),
      "emission  " + to_text(money.pool) + " over " + count_text(p.emission_epochs) +
          " epochs; the first releases " + to_text(first) + ": " + to_text(split.targets) +
          " to targets, " + to_text(split.validators) + " to validators",
      ""};
  const auto append = [&](const table& part) {
    for (auto& line : part.lines()) lines.push_back(std::move(line));
    lines.emplace_back();
  };
  if (!born.accounts.empty()) {
    table accounts({"account", "balance"});
    for (const auto& account : born.accounts) {
      accounts.row({account.owner.text(), to_text(account.balance)});
    }
    append(accounts);
  }
  for (auto& line : committee_lines(born)) lines.push_back(std::move(line));
  lines.emplace_back();
  table parameters({"parameter", "value", "meaning"});
  for (const auto& field : genesis_fields()) {
    parameters.row({std::string(field.name), field.text(p), std::string(field.what)});
  }
  for (auto& line : parameters.lines()) lines.push_back(std::move(line));
  return lines;
}

}  // namespace soma
