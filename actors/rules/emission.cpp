#include "actors/rules/emission.hpp"

#include <algorithm>

#include "actors/rules/arithmetic.hpp"

namespace soma::rules {

shannons emission_of(shannons unissued, std::uint64_t epochs, epoch_number epoch) {
  // Rewards that come back after the last epoch are emitted again by the next one.
  const std::uint64_t left = epoch.value < epochs ? epochs - epoch.value : 1;
  return {unissued.value / left};
}

emission_split split_emission(shannons released, std::uint32_t target_share_bps) {
  const shannons targets{share_of(released.value, target_share_bps, basis_points)};
  return {targets, {released.value - targets.value}};
}

std::uint64_t slices_of(const genesis_parameters& p) {
  return std::clamp<std::uint64_t>(p.hits_wanted / 16, 1, 24);
}

std::uint64_t pot_parts(const genesis_parameters& p) {
  return std::max<std::uint64_t>(p.hits_wanted / slices_of(p),
                                 std::uint64_t{2} * p.initial_targets);
}

shannons target_reward(const genesis_parameters& p, const chain_row& chain) {
  const auto parts = pot_parts(p);
  SOMA_ASSERT(parts > 0, "a genesis wants at least one hit");
  return {chain.target_pot.value / parts};
}

shannons least_reward(const genesis_parameters& p, const chain_row& chain) {
  const auto all = split_emission(chain.epoch_emission, p.target_share_bps).targets;
  return {std::max<std::uint64_t>(1'000, all.value / (8 * slices_of(p) * pot_parts(p)))};
}

void begin_emission(block_run& run) {
  run.state.update_chain([&](chain_row& c) {
    c.epoch_emission = emission_of(c.unissued, run.parameters.emission_epochs, c.epoch);
    c.flowed = {};
  });
}

void flow_into_pot(block_run& run, std::uint64_t time_ms) {
  const auto& chain = run.state.chain();
  const auto& p = run.parameters;
  SOMA_ASSERT(time_ms >= chain.epoch_start_ms, "a block is not before its epoch");
  const auto elapsed = std::min(time_ms - chain.epoch_start_ms, p.epoch_ms);
  const auto all = split_emission(chain.epoch_emission, p.target_share_bps).targets;
  const shannons due{share_of(all.value, elapsed, p.epoch_ms)};
  SOMA_ASSERT(due >= chain.flowed, "what flows with time never flows back");
  const shannons now{due.value - chain.flowed.value};
  run.state.must_move(of(pot::unissued), of(pot::targets), now);
  run.state.update_chain([&](chain_row& c) { c.flowed = due; });
}

void return_excess(block_run& run) {
  const auto& chain = run.state.chain();
  if (chain.target_pot <= chain.epoch_emission) return;
  const shannons excess{chain.target_pot.value - chain.epoch_emission.value};
  run.state.must_move(of(pot::targets), of(pot::unissued), excess);
  run.note(event_kind::emission_returned).amount = excess;
}

}  // namespace soma::rules
