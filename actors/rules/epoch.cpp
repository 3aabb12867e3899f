#include "actors/rules/epoch.hpp"

#include "actors/rules/agenda.hpp"
#include "actors/rules/committee.hpp"
#include "actors/rules/difficulty.hpp"
#include "actors/rules/emission.hpp"
#include "actors/rules/fees.hpp"
#include "actors/rules/models.hpp"
#include "actors/rules/settlement.hpp"
#include "actors/rules/staking.hpp"

namespace soma::rules {
namespace {

void emit_and_reward(block_run& run, const genesis& genesis) {
  const auto& p = run.parameters;
  const auto pool = emission_pool(genesis);
  SOMA_ASSERT(pool.has_value(), "genesis was checked");
  const auto split =
      split_emission(emission_of(*pool, p.emission_epochs, run.epoch()), p.target_share_bps);
  run.state.must_move(of(pot::unissued), of(pot::next_budget), split.targets);
  run.state.must_move(of(pot::unissued), of(pot::validator_pay), split.validators);
  auto& e = run.note(event_kind::emission_released);
  e.amount = split.targets;
  e.detail = run.state.chain().validator_pay.value;
  reward_validators(run);
}

void adjust_fees_and_difficulty(block_run& run) {
  const auto& p = run.parameters;
  const shannons burned = run.state.chain().burned_this_epoch;
  run.state.update_chain([&](chain_row& c) {
    const shannons circulating{supply_cap.value - c.unissued.value - c.burned.value};
    c.fee_multiplier_ppm =
        next_multiplier(p, c.fee_multiplier_ppm, wanted_burn(p, circulating), c.burned_this_epoch);
    c.burned_this_epoch = {};
    c.hits_ema_milli = next_hits_ema(c.hits_ema_milli, c.hits, p.hits_ema_decay_bps);
    c.hits = 0;
    c.difficulty_ppm =
        next_difficulty(c.difficulty_ppm, c.hits_ema_milli, p.hits_wanted, p.architecture.dim);
  });
  auto& fees = run.note(event_kind::fees_changed);
  fees.amount = burned;
  fees.detail = run.state.chain().fee_multiplier_ppm;
  run.note(event_kind::difficulty_changed).detail =
      static_cast<std::uint64_t>(run.state.chain().difficulty_ppm);
}

/// Begins the next epoch: moves the next budget to the target budget, sets the epoch's number,
/// start and first block and the reward of a target, and pays for the first targets. Protocol §9.5.
std::vector<wanted_draw> open_epoch(block_run& run, const block_id& parent, std::uint64_t time_ms,
                                    bool any_model) {
  const auto& p = run.parameters;
  run.state.must_move(of(pot::next_budget), of(pot::target_budget), run.state.chain().next_budget);
  run.state.update_chain([&](chain_row& c) {
    c.epoch = c.epoch.next();
    c.epoch_start_ms = time_ms;
    c.epoch_first_block = run.height.next();
    c.reward_per_target = {c.target_budget.value / p.hits_wanted};
  });
  std::vector<wanted_draw> draws;
  if (any_model) {
    for (std::uint64_t index = 0; index < p.initial_targets; ++index) {
      const auto draw = pay_for_target(run, {parent, std::nullopt}, index);
      if (!draw) break;
      draws.push_back(*draw);
    }
  }
  run.state.update_chain([&](chain_row& c) { c.targets_opened = draws.size(); });
  return draws;
}

}  // namespace

std::optional<shannons> emission_pool(const genesis& genesis) {
  std::optional<shannons> left = supply_cap;
  for (const auto& account : genesis.accounts) {
    if (left) left = subtract(*left, account.balance);
  }
  for (const auto& validator : genesis.validators) {
    if (left) left = subtract(*left, validator.stake);
  }
  return left;
}

bool closes_epoch(const chain_row& chain, const genesis_parameters& p, std::uint64_t time_ms) {
  return time_ms >= chain.epoch_start_ms && time_ms - chain.epoch_start_ms >= p.epoch_ms;
}

epoch_end end_epoch(block_run& run, const genesis& genesis, const active_models& active,
                    const block_id& parent, std::uint64_t time_ms) {
  const epoch_number ended = run.epoch();
  SOMA_ASSERT(closes_epoch(run.state.chain(), run.parameters, time_ms), "the epoch's time is over");
  close_targets(run);
  const auto models = take_due<model_id>(run);
  drop_missed_reveals(run, models);
  activate_and_retire(run, models);
  emit_and_reward(run, genesis);
  settle_stakes(run);
  change_commissions(run, models);
  adjust_fees_and_difficulty(run);
  seat_next_committee(run);
  epoch_end end;
  end.candidates = active.after(run.state);
  end.draws = open_epoch(run, parent, time_ms, !end.candidates.empty());
  SOMA_ASSERT(run.epoch() == ended.next(), "an epoch is followed by the next");
  SOMA_ASSERT(run.state.chain().next_budget.value == 0, "the new epoch has all of its budget");
  auto& e = run.note(event_kind::epoch_ended);
  e.epoch = ended;
  e.amount = run.state.chain().target_budget;
  for (const auto& draw : end.draws) e.amount.value += draw.reward.value;
  e.detail = run.state.chain().epoch_first_block.value;
  return end;
}

}  // namespace soma::rules
