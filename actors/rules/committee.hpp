// The committee, protocol §5: which validators want a seat, which have one, which took part, and
// what that pays.
#pragma once

#include <span>

#include "actors/rules/block_run.hpp"
#include "actors/rules/voting_power.hpp"

namespace soma::rules {

/// Asks for a seat from the next epoch on. A first join brings the validator's own stake; a later
/// one may add to it. With another key than before the new one signs from the next epoch on.
/// Protocol §5.1.
[[nodiscard]] refused join_committee(block_run& run, const chain_id& chain, const address& sender,
                                     const tx::join_committee& what);
/// No seat from the next epoch on; the stake can be withdrawn from now on. Protocol §5.2.
[[nodiscard]] refused leave_committee(block_run& run, const address& sender);

/// Counts a block's parent for the members who signed it; names outside the committee are passed
/// over, and a name that comes twice counts once. Protocol §5.6.
void count_signatures(block_run& run, std::span<const address> signers);
/// A submission that has been decided counts as one audit vote due for each member; `votes` are
/// those that were cast. It is counted now and not at the reveal, because a reveal at the end of an
/// epoch is audited in the next one. Protocol §5.7.
void count_audit(block_run& run, std::span<const cast_vote<audit_verdict>> votes);
/// Counts a vote that a member casts after the decision.
void count_late_vote(block_run& run, const address& member);

/// Whether the validator was in the committee of that epoch, one of the 64 up to its last seat.
[[nodiscard]] bool had_seat(const validator_row& v, epoch_number epoch);

/// Signed at least half of the epoch's blocks that a later one of it shows signatures for, and cast
/// at least half of the audit votes due. Every block but the first shows them for its parent.
/// Protocol §5.7.
[[nodiscard]] bool took_part(const committee_seat& seat, std::uint64_t signed_blocks,
                             std::uint64_t audits_due);
/// floor(amount * power / all power) to each member that took part; the rest is for the next target
/// budget. All of `amount` leaves the unissued. Protocol §5.8.
void reward_validators(block_run& run, shannons amount);

/// The next epoch's committee: of those who want a seat and own at least the minimum the
/// committee_size largest by stake, ties by address; power 0 is no seat. When no validator has the
/// minimum the old committee stays: a network never loses its last member. Protocol §5.3.
void seat_next_committee(block_run& run);

}  // namespace soma::rules
