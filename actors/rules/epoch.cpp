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

void emit_and_reward(block_run& run) {
  const auto split =
      split_emission(run.state.chain().epoch_emission, run.parameters.target_share_bps);
  SOMA_ASSERT(run.state.chain().flowed == split.targets,
              "by its end an epoch has emitted its part");
  run.state.must_move(of(pot::unissued), of(pot::validator_pay), split.validators);
  auto& e = run.note(event_kind::emission_released);
  e.amount = split.targets;
  e.detail = run.state.chain().validator_pay.value;
  reward_validators(run);
  return_excess(run);
}

void adjust_fees(block_run& run) {
  const auto& p = run.parameters;
  const shannons burned = run.state.chain().burned_this_epoch;
  run.state.update_chain([&](chain_row& c) {
    const shannons circulating{supply_cap.value - c.unissued.value - c.burned.value};
    c.fee_multiplier_ppm =
        next_multiplier(p, c.fee_multiplier_ppm, wanted_burn(p, circulating), c.burned_this_epoch);
    c.burned_this_epoch = {};
  });
  auto& fees = run.note(event_kind::fees_changed);
  fees.amount = burned;
  fees.detail = run.state.chain().fee_multiplier_ppm;
}

/// Begins the next epoch: sets its number, start, first block and emission, and pays for the first
/// targets. Protocol §9.5.
std::vector<wanted_draw> open_epoch(block_run& run, std::uint64_t time_ms, bool any_model) {
  run.state.update_chain([&](chain_row& c) {
    c.epoch = c.epoch.next();
    c.epoch_start_ms = time_ms;
    c.epoch_first_block = run.height.next();
    c.leader_seed = std::exchange(c.next_leader_seed, c.entropy);
    c.hits = c.slices_done = 0;
    c.targets_waiting = any_model ? run.parameters.initial_targets : 0;
  });
  begin_emission(run);
  // What this block's claims have filled is not replaced: the new epoch has all of its targets.
  return any_model ? pay_for_targets(run) : std::vector<wanted_draw>{};
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

epoch_end end_epoch(block_run& run, const active_models& active, std::uint64_t time_ms) {
  const epoch_number ended = run.epoch();
  SOMA_ASSERT(closes_epoch(run.state.chain(), run.parameters, time_ms), "the epoch's time is over");
  const bool targets_stood = run.state.chain().set_aside.value > 0;
  flow_into_pot(run, time_ms);
  close_targets(run);
  const auto models = take_due<model_id>(run);
  drop_missed_reveals(run, models);
  activate_and_retire(run, models);
  emit_and_reward(run);
  settle_stakes(run);
  change_commissions(run, models);
  adjust_fees(run);
  end_slices(run, time_ms, targets_stood);
  seat_next_committee(run);
  epoch_end end;
  end.candidates = active.after(run.state);
  const shannons pot = run.state.chain().target_pot;
  end.draws = open_epoch(run, time_ms, !end.candidates.empty());
  SOMA_ASSERT(run.epoch() == ended.next(), "an epoch is followed by the next");
  SOMA_ASSERT(run.state.chain().slices_done == 0, "the new epoch has all of its slices");
  auto& e = run.note(event_kind::epoch_ended);
  e.epoch = ended;
  e.amount = pot;
  e.detail = run.state.chain().epoch_first_block.value;
  return end;
}

}  // namespace soma::rules
