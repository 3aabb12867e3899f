// Protocol §5: who signed, who audited, what that pays, and who sits in the next committee.
#pragma once

#include <span>

#include "actors/rules/block_run.hpp"
#include "actors/rules/voting_power.hpp"

namespace soma::rules {

/// Counts a block for those who signed it; names outside the committee are passed over, double ones
/// count once.
void count_signatures(block_run& run, std::span<const address> signers);
/// A revealed submission is one audit due for each member.
void count_due_audit(block_run& run);

/// Signed at least half of the epoch's blocks and cast at least half of the audit votes due.
[[nodiscard]] bool took_part(const validator_row& v, std::uint64_t blocks_in_epoch);
/// floor(amount * power / all power) to each member who took part; the rest is for the next target
/// budget. All of `amount` leaves the unissued.
void reward_validators(block_run& run, shannons amount);

/// Sets everyone's power for the next epoch, the 100 largest by stake with at least the minimum,
/// ties by address, and resets the counters. Should nobody have the minimum, the old committee
/// stays: a network never loses its last member.
void seat_next_committee(block_run& run);

}  // namespace soma::rules
