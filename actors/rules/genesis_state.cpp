#include "actors/rules/genesis_state.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "actors/rules/arithmetic.hpp"
#include "actors/rules/audit.hpp"
#include "actors/rules/emission.hpp"
#include "actors/rules/epoch.hpp"
#include "actors/rules/voting_power.hpp"
#include "messages/crypto/ed25519.hpp"
#include "messages/signing/signing.hpp"

namespace soma::rules {
namespace {

constexpr std::uint64_t longest_epoch_ms = 366ull * 86'400'000;

bool name_ok(const std::string& name) {
  return !name.empty() && name.size() <= max_name_bytes &&
         std::all_of(name.begin(), name.end(), [](char c) { return c >= 0x20 && c <= 0x7e; });
}

bool shares_ok(const genesis_parameters& p) {
  return p.target_share_bps <= basis_points && p.value_fee_bps <= basis_points &&
         p.burn_bps_per_year <= basis_points && p.max_commission_step_bps <= basis_points &&
         p.missed_reveal_slash_bps <= basis_points && p.bad_model_slash_bps <= basis_points &&
         p.equivocation_slash_bps <= basis_points;
}

bool fees_ok(const genesis_parameters& p) {
  constexpr std::uint64_t highest = shannons_per_soma * 1'000;
  return p.base_fee <= highest && p.row_fee <= supply_cap.value &&
         p.row_byte_fee <= shannons_per_soma && p.byte_fee <= shannons_per_soma &&
         p.fee_multiplier_min_ppm >= 1 && p.fee_multiplier_min_ppm <= p.fee_multiplier_start_ppm &&
         p.fee_multiplier_start_ppm <= p.fee_multiplier_max_ppm &&
         p.fee_multiplier_max_ppm <= 1'000'000'000;
}

bool targets_ok(const genesis_parameters& p) {
  constexpr std::int64_t bound = 1'000'000'000;
  return p.models_per_target >= 1 && p.models_per_target <= max_assigned_models &&
         p.hits_wanted >= 1 && p.hits_wanted <= 1'000'000'000 && p.initial_targets <= 10'000 &&
         p.stake_bonus_ppm >= 0 && p.stake_bonus_ppm <= bound && p.difficulty_start_ppm >= -bound &&
         p.difficulty_start_ppm <= bound;
}

bool bonds_ok(const genesis_parameters& p) {
  return p.bond_reward_divisor >= 1 && p.bond_per_byte <= shannons_per_soma &&
         p.max_data_bytes <= 1u << 30 && largest_data_bytes(p) >= 1 &&
         p.reveal_window_blocks >= 1 && p.max_audit_extensions <= 8;
}

bool staking_ok(const genesis_parameters& p) {
  const auto epochs_ok = [](std::uint32_t n) { return n >= 1 && n <= max_unbonding_epochs; };
  return p.committee_size >= 1 && p.committee_size <= max_committee && p.max_power.value >= 1 &&
         p.max_power <= total_power && epochs_ok(p.model_unbonding_epochs) &&
         epochs_ok(p.validator_unbonding_epochs);
}

std::optional<genesis_refusal> check_parameters(const genesis_parameters& p) {
  if (!is_valid(p.architecture)) return genesis_refusal::bad_architecture;
  if (p.epoch_ms == 0 || p.epoch_ms > longest_epoch_ms || p.emission_epochs == 0) {
    return genesis_refusal::bad_epoch_length;
  }
  if (!shares_ok(p)) return genesis_refusal::bad_shares;
  if (!fees_ok(p)) return genesis_refusal::bad_fees;
  if (!targets_ok(p)) return genesis_refusal::bad_targets;
  if (!bonds_ok(p)) return genesis_refusal::bad_bonds;
  if (!staking_ok(p)) return genesis_refusal::bad_staking;
  return std::nullopt;
}

chain_row first_chain_row(const genesis& genesis) {
  chain_row c;
  c.last_block = signing::genesis_parent(signing::chain_id_of(genesis));
  c.entropy = c.leader_seed = c.next_leader_seed = signing::chain_id_of(genesis).as<hash_tag>();
  c.time_ms = genesis.start_ms;
  c.epoch_start_ms = genesis.start_ms;
  c.epoch_first_block = {1};
  c.fee_multiplier_ppm = genesis.parameters.fee_multiplier_start_ppm;
  c.difficulty_ppm = genesis.parameters.difficulty_start_ppm;
  c.congestion_ppm = millionths;
  for (const auto& account : genesis.accounts) c.balances.value += account.balance.value;
  for (const auto& validator : genesis.validators) c.staked.value += validator.stake.value;
  c.unissued = *emission_pool(genesis);
  c.epoch_emission = emission_of(c.unissued, genesis.parameters.emission_epochs, c.epoch);
  return c;
}

/// Powers by stake; in address order.
committee_row first_committee(const genesis& genesis) {
  std::vector<power_share> members;
  std::map<address, public_key> keys;
  for (const auto& v : genesis.validators) {
    const auto who = crypto::address_of(v.consensus_key);
    members.push_back({who, v.stake, {}});
    keys[who] = v.consensus_key;
  }
  std::stable_sort(members.begin(), members.end(), [](const auto& a, const auto& b) {
    return std::pair(b.stake, a.member) < std::pair(a.stake, b.member);
  });
  if (members.size() > genesis.parameters.committee_size)
    members.resize(genesis.parameters.committee_size);
  assign_power(members, genesis.parameters.max_power);
  committee_row committee;
  for (const auto& m : members) {
    if (m.power.value > 0) committee.seats.push_back({m.member, keys[m.member], m.power, 0, 0});
  }
  return committee;
}

}  // namespace

std::string_view to_text(genesis_refusal reason) {
  switch (reason) {
    case genesis_refusal::bad_name:
      return "the name is not 1 to 64 bytes of printable ASCII";
    case genesis_refusal::bad_architecture:
      return "the architecture is not valid";
    case genesis_refusal::bad_epoch_length:
      return "an epoch or the emission has no length";
    case genesis_refusal::bad_shares:
      return "a share is above 10000 basis points";
    case genesis_refusal::bad_fees:
      return "the fees or their bounds are not in order";
    case genesis_refusal::bad_targets:
      return "the parameters of targets are out of range";
    case genesis_refusal::bad_bonds:
      return "the parameters of bonds and audits are out of range";
    case genesis_refusal::bad_staking:
      return "the size of the committee or the time of unbonding is out of range";
    case genesis_refusal::too_many_accounts:
      return "more than 4096 accounts";
    case genesis_refusal::double_account:
      return "an account is named twice";
    case genesis_refusal::no_validator:
      return "no validator";
    case genesis_refusal::too_many_validators:
      return "more than 100 validators";
    case genesis_refusal::double_validator:
      return "a validator is named twice";
    case genesis_refusal::bad_validator_key:
      return "a validator's key is not acceptable";
    case genesis_refusal::validator_stake_too_low:
      return "a validator's stake is below the minimum";
    case genesis_refusal::above_supply_cap:
      return "the allocations exceed the supply cap";
  }
  return "unknown";
}

std::optional<genesis_refusal> check_genesis(const genesis& genesis) {
  if (!name_ok(genesis.name)) return genesis_refusal::bad_name;
  if (const auto no = check_parameters(genesis.parameters)) return no;
  if (genesis.accounts.size() > max_genesis_accounts) return genesis_refusal::too_many_accounts;
  std::set<address> accounts;
  for (const auto& a : genesis.accounts) {
    if (!accounts.insert(a.owner).second) return genesis_refusal::double_account;
  }
  if (genesis.validators.empty()) return genesis_refusal::no_validator;
  if (genesis.validators.size() > max_committee) return genesis_refusal::too_many_validators;
  std::set<public_key> keys;
  for (const auto& v : genesis.validators) {
    if (!crypto::is_acceptable(v.consensus_key)) return genesis_refusal::bad_validator_key;
    if (!keys.insert(v.consensus_key).second) return genesis_refusal::double_validator;
    if (v.stake < genesis.parameters.min_validator_stake || v.stake.value == 0) {
      return genesis_refusal::validator_stake_too_low;
    }
  }
  if (!emission_pool(genesis)) return genesis_refusal::above_supply_cap;
  return std::nullopt;
}

std::vector<row_change> genesis_rows(const genesis& genesis) {
  SOMA_ASSERT(!check_genesis(genesis), "a genesis is checked before a network is made of it");
  std::map<address, account_row> accounts;
  for (const auto& a : genesis.accounts) accounts[a.owner] = {a.balance, 0};
  committee_row committee = first_committee(genesis);

  const chain_row chain = first_chain_row(genesis);
  SOMA_ASSERT(ledger::total_of(chain) == supply_cap, "the first pots hold the whole supply");
  std::vector<row_change> rows;
  rows.push_back({chain_key(), encode(chain)});
  for (const auto& v : genesis.validators) {
    const address who = crypto::address_of(v.consensus_key);
    accounts.try_emplace(who);
    validator_row row;
    row.consensus_key = v.consensus_key;
    row.pool = {v.stake, v.stake.value, v.stake.value};
    row.wants_seat = true;
    const auto& seats = committee.seats;
    const bool seated = std::any_of(seats.begin(), seats.end(),
                                    [&](const auto& seat) { return seat.member == who; });
    rows.push_back({validator_key(who), encode(row)});
    const consensus_key_row key{who, {0}, seated ? 1u : 0u};
    rows.push_back({consensus_key_key(v.consensus_key), encode(key)});
  }
  rows.push_back({committee_key(), encode(committee)});
  for (const auto& [who, row] : accounts) rows.push_back({account_key(who), encode(row)});
  std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
  return rows;
}

}  // namespace soma::rules
