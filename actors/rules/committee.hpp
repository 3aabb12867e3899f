// The committee, protocol §5: which validators want a seat, which have one, which took part, and
// what that pays.
#pragma once

#include <span>

#include "actors/rules/block_run.hpp"
#include "actors/rules/voting_power.hpp"

namespace soma::rules {

/// Asks for a seat from the next epoch on. A first join brings the validator's own stake; a later
/// join may add to it. If a later join names another key, the new key signs from the next epoch on.
/// Protocol §5.1.
[[nodiscard]] refused join_committee(block_run& run, const chain_id& chain, const address& sender,
                                     const tx::join_committee& what);
/// Gives the seat up from the next epoch on; the stake can be withdrawn from now on. Protocol §5.2.
[[nodiscard]] refused leave_committee(block_run& run, const address& sender);

/// Counts a block's parent for the members that signed it. Names outside the committee are ignored,
/// and a name that occurs twice counts once. Protocol §5.6.
void count_signatures(block_run& run, std::span<const address> signers);
/// A submission that has been decided counts as one audit vote due for each member that its audit
/// had called, unless nobody owed one, and its votes as cast. It is counted now and not at the
/// reveal, because a reveal at the end of an epoch is audited in the next one. Protocol §5.7.
void count_audit(block_run& run, const submission_row& decided, bool is_owed);
/// Counts a vote that a member casts after the decision.
void count_late_vote(block_run& run, const address& member);

/// True if the key signed for a seat in that epoch and the epoch is one of the 64 up to its last
/// seat.
[[nodiscard]] bool had_seat(const consensus_key_row& k, epoch_number epoch);

/// True if the member signed at least half of the blocks for which a later block of the same epoch
/// shows signatures, and cast at least half of the audit votes that it owed. Every block but the
/// first of an epoch shows the signatures for its parent. Protocol §5.7.
[[nodiscard]] bool took_part(const committee_seat& seat, std::uint64_t signed_blocks);
/// Divides all of the validators' pay: floor(pay * power / all power) to each member that took
/// part; the rest goes into the pot of the targets. Protocol §5.8.
void reward_validators(block_run& run);

/// Seats the committee of the next epoch: the committee_size largest by what their pools count,
/// ties by address, of the validators that want a seat and own at least the minimum. Power 0 means
/// no seat. When no validator owns the minimum, the old committee stays, so that a network never
/// loses its last member. Protocol §5.3.
void seat_next_committee(block_run& run);

}  // namespace soma::rules
