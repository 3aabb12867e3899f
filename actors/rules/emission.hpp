// Protocol §3: the emission, and the pot into which it flows for the targets. What is emitted is
// linear as long as nothing comes back, and in the end exactly all there is. Protocol §3.7 lists
// all the ways of this money.
#pragma once

#include "actors/rules/block_run.hpp"

namespace soma::rules {

/// What an epoch emits: floor(unissued / epochs left), of which there is always one. Protocol §3.2.
[[nodiscard]] shannons emission_of(shannons unissued, std::uint64_t epochs, epoch_number epoch);

/// How the emission of an epoch is divided between targets and validators. Protocol §3.3.
struct emission_split {
  shannons targets;
  shannons validators;  // including the odd shannon
};
[[nodiscard]] emission_split split_emission(shannons released, std::uint32_t target_share_bps);

/// The parts of an epoch after each of which the difficulty takes a step: clamp(hits_wanted / 16,
/// 1, 24). Protocol §3.5.
[[nodiscard]] std::uint64_t slices_of(const genesis_parameters& p);
/// W: a new target gets one part in W of the pot; max(hits_wanted / slices, 2 * initial_targets).
/// Protocol §3.5.
[[nodiscard]] std::uint64_t pot_parts(const genesis_parameters& p);
/// What a target that is opened now is worth. Protocol §3.5.
[[nodiscard]] shannons target_reward(const genesis_parameters& p, const chain_row& chain);
/// A target that would be worth less than this waits for the pot to fill. An epoch emits enough for
/// 8 * slices * W of them, that is 8 for each hit that is wanted, so that claims which are never
/// revealed cannot fill the memory of those who keep the ledger. Protocol §7.7.
[[nodiscard]] shannons least_reward(const genesis_parameters& p, const chain_row& chain);

/// Sets what the epoch that begins will emit. Protocol §3.2.
void begin_emission(block_run& run);
/// Lets flow into the pot what is due at this time. Protocol §3.4.
void flow_into_pot(block_run& run, std::uint64_t time_ms);
/// Moves what the pot has beyond one epoch's emission back to the unissued. Protocol §3.6.
void return_excess(block_run& run);

}  // namespace soma::rules
