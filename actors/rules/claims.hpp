// Protocol §8.1 and §8.2: claiming an open target and revealing the data. The order of the checks
// is the order in the protocol: the first that fails names the refusal.
#pragma once

#include "actors/rules/block_run.hpp"

namespace soma::rules {

/// max(reward / bond_reward_divisor, bond_per_byte * size); nullopt when it does not fit.
[[nodiscard]] std::optional<shannons> bond_for(const genesis_parameters& p, shannons reward,
                                               std::uint64_t size_bytes);

/// Locks the bond and fills the target; the replacement is drawn after the block's transactions.
[[nodiscard]] refused claim_target(block_run& run, const address& sender,
                                   const tx::claim_target& what);
/// Counts the hit and remembers the data. Data that another submitter revealed since the claim
/// makes the claim void instead.
[[nodiscard]] refused reveal_data(block_run& run, const address& sender,
                                  const tx::reveal_data& what);

/// The waits for data, for its reveal and for its arrival, are this part of an epoch. Protocol
/// §8.2.
inline constexpr std::uint64_t short_wait_part = 24;
/// Whether a reveal may still come in a block of this height, time and epoch: at most
/// reveal_window_blocks or a short wait after the claim, whichever is longer, and before the epoch
/// after it ends.
[[nodiscard]] bool reveal_window_open(const genesis_parameters& p, const submission_row& s,
                                      block_height height, std::uint64_t time_ms,
                                      epoch_number epoch);

}  // namespace soma::rules
