#include "tests/actors/rules/worlds/random_genesis.hpp"

#include "actors/rules/genesis_state.hpp"
#include "messages/values/assert.hpp"
#include "tests/actors/rules/dice.hpp"
#include "tests/actors/rules/worlds/people.hpp"

namespace soma::test {
namespace {

std::uint64_t one_of(dice& d, std::initializer_list<std::uint64_t> values) {
  return values.begin()[d.below(values.size())];
}

void roll_fees(dice& d, genesis_parameters& p) {
  p.base_fee = one_of(d, {0, 1, 1'000, 1'000, 1'000, 1'000'000, 7'000'000});
  p.row_fee = one_of(d, {0, 1, 300, 300, 300, 90'000});
  p.row_byte_fee = static_cast<std::uint32_t>(one_of(d, {0, 1, 1, 1, 1'000}));
  p.value_fee_bps = static_cast<std::uint32_t>(one_of(d, {0, 10, 10, 10, 10, 333}));
  p.fee_multiplier_min_ppm = one_of(d, {1, 10'000, 1'000'000});
  p.fee_multiplier_start_ppm = p.fee_multiplier_min_ppm + d.below(2'000'000);
  p.fee_multiplier_max_ppm = p.fee_multiplier_start_ppm + d.below(5'000'000);
  p.burn_bps_per_year = static_cast<std::uint32_t>(one_of(d, {0, 500, 500, 10'000}));
  if (d.chance(4)) {  // few people can pay
    p.base_fee = one_of(d, {0, 20 * shannons_per_soma, 1'000 * shannons_per_soma});
    p.row_fee = one_of(d, {0, shannons_per_soma});
    p.value_fee_bps = static_cast<std::uint32_t>(one_of(d, {10, 10'000}));
  } else if (d.chance(2)) {  // a fee that exceeds every integer
    p.base_fee = 0;
    p.row_fee = supply_cap.value;
    p.fee_multiplier_start_ppm = p.fee_multiplier_max_ppm = 1'000'000'000;
  }
}

void roll_stakes(dice& d, genesis_parameters& p) {
  p.min_model_stake = {one_of(d, {0, 1, shannons_per_soma, shannons_per_soma, shannons_per_soma})};
  p.min_validator_stake = {one_of(
      d, {0, 1, 900 * shannons_per_soma, 1'000 * shannons_per_soma, 1'000 * shannons_per_soma})};
  const auto share = [&](std::uint64_t usual) {
    return static_cast<std::uint32_t>(one_of(d, {0, 1, usual, usual, usual, 3'333, 10'000}));
  };
  p.max_commission_step_bps = share(500);
  p.missed_reveal_slash_bps = share(5'000);
  p.bad_model_slash_bps = share(9'500);
  p.equivocation_slash_bps = share(500);
  p.target_share_bps = share(8'000);
  p.committee_size = static_cast<std::uint32_t>(1 + d.below(8));
  p.max_power = {static_cast<std::uint32_t>(one_of(d, {10'000, 10'000, 10'000, 5'000, 2'500, 1}))};
  p.model_unbonding_epochs = static_cast<std::uint32_t>(1 + d.below(max_unbonding_epochs));
  p.validator_unbonding_epochs = static_cast<std::uint32_t>(1 + d.below(max_unbonding_epochs));
}

void roll_targets(dice& d, genesis_parameters& p) {
  p.models_per_target = static_cast<std::uint32_t>(1 + d.below(4));
  p.initial_targets = static_cast<std::uint32_t>(d.chance(5) ? 0 : 1 + d.below(6));
  p.hits_wanted = one_of(d, {1, 3, 8, 8, 12, 100, 1'000'000'000});
  p.stake_bonus_ppm = static_cast<std::int64_t>(one_of(d, {0, 500'000, 1'000'000'000}));
  p.difficulty_start_ppm = static_cast<std::int64_t>(d.below(8'000'000)) - 6'000'000;
  p.max_data_bytes = one_of(d, {1, 1'000, 1u << 20, 1u << 30});
  p.max_audit_products = one_of(d, {20'000, 5'000'000, 4'000'000'000'000'000});
  p.bond_per_byte = one_of(d, {0, 65, 65, 65, shannons_per_soma});
  p.bond_reward_divisor = one_of(d, {1, 10, 10, 1'000'000});
  p.reveal_window_blocks = 1 + d.below(20);
  p.max_audit_extensions = static_cast<std::uint32_t>(d.below(4));
}

/// So many members that samples of them audit. All of them have about the power of one another, or
/// the first have most of it.
void fill_committee(dice& d, soma::genesis& genesis) {
  auto& p = genesis.parameters;
  p.committee_size = max_committee;
  p.epoch_ms = 10'000;  // then a sample has the time of a few blocks
  const bool is_even = d.chance(60);
  const auto voters = 12 + d.below(voter_count - 11);
  for (std::uint64_t i = 0; i < voters; ++i) {
    const auto stake = (1'000 + d.below(is_even ? 500 : 20'000 / (i + 1))) * shannons_per_soma;
    genesis.validators.push_back({everybody()[first_voter + i].keys.public_half(),
                                  {std::max(stake, p.min_validator_stake.value)}});
  }
}

}  // namespace

genesis random_genesis(std::uint64_t seed) {
  dice d{seed * splitmix64::increment + 77};
  soma::genesis genesis;
  genesis.name = "world";
  genesis.start_ms = d.chance(10) ? 0 : 1'000'000;
  auto& p = genesis.parameters;
  p.architecture = {1, d.chance(80) ? 4u : 2u, 1, 4, 8};
  p.epoch_ms = d.chance(5) ? 1 + d.below(3) : 1'000;
  p.emission_epochs = 1 + d.below(d.chance(50) ? 40 : 3'650);
  roll_fees(d, p);
  roll_stakes(d, p);
  roll_targets(d, p);
  const auto& people = everybody();
  const auto validators = 1 + d.below(8);
  for (std::uint64_t i = 0; i < validators; ++i) {
    const auto stake =
        d.chance(10) ? 1 + d.below(10) : (1'000 + d.below(4'000)) * shannons_per_soma;
    genesis.validators.push_back({people[first_validator + i].keys.public_half(),
                                  {std::max(stake, p.min_validator_stake.value)}});
  }
  // The last person that is not a validator has no account, and the person before has next to
  // nothing.
  for (std::size_t i = 0; i + 1 < first_validator; ++i) {
    const auto balance = i == 6 ? d.below(20'000) : (10'000 + d.below(200'000)) * shannons_per_soma;
    genesis.accounts.push_back({people[i].where, {balance}});
  }
  for (std::size_t i = first_validator; i + 1 < person_count; ++i) {
    if (d.chance(80))
      genesis.accounts.push_back({people[i].where, {d.below(9'000) * shannons_per_soma}});
  }
  if (seed % 5 == 3) fill_committee(d, genesis);
  SOMA_ASSERT(!rules::check_genesis(genesis), "worlds begin with a genesis that is one");
  p.byte_fee = static_cast<std::uint32_t>(one_of(d, {0, 5, 5, 5, 1'000}));
  return genesis;
}

}  // namespace soma::test
