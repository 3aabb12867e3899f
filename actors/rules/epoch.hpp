// The end of an epoch, all of it in one block. Protocol §9.
#pragma once

#include "actors/rules/active_models.hpp"
#include "actors/rules/block_run.hpp"
#include "actors/rules/targets.hpp"

namespace soma::rules {

/// P: what is left of the cap after the allocations of genesis; nullopt when they exceed it.
[[nodiscard]] std::optional<shannons> emission_pool(const genesis& genesis);

/// Whether a block of this time is the last of its epoch. Protocol §9.1.
[[nodiscard]] bool closes_epoch(const chain_row& chain, const genesis_parameters& p,
                                std::uint64_t time_ms);

struct epoch_end {
  std::vector<candidate> candidates;  // the models that are active in the epoch that begins
  std::vector<wanted_draw> draws;
};

/// The last flow into the pot, expire, settle, missed reveals, activations and retirements,
/// validator rewards, pool deposits and withdrawals, fee multiplier, difficulty, next committee;
/// then pays for the new epoch's targets and names their draws. Protocol §9.3.
[[nodiscard]] epoch_end end_epoch(block_run& run, const active_models& active,
                                  std::uint64_t time_ms);

}  // namespace soma::rules
