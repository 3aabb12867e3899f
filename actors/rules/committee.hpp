// Protocol §5: who wants a seat, who has one, who took part, and what that pays.
#pragma once

#include <span>

#include "actors/rules/block_run.hpp"
#include "actors/rules/voting_power.hpp"

namespace soma::rules {

/// Asks for a seat from the next epoch on. A first join brings the validator's own stake; a later
/// one may add to it. With another key than before the new one signs from the next epoch on.
[[nodiscard]] refused join_committee(block_run& run, const chain_id& chain, const address& sender,
                                     const tx::join_committee& what);
/// No seat from the next epoch on; the stake can be withdrawn from now on.
[[nodiscard]] refused leave_committee(block_run& run, const address& sender);

/// Counts a block's parent for those who signed it; names outside the committee are passed over,
/// double ones count once.
void count_signatures(block_run& run, std::span<const address> signers);
/// A submission that is decided was one audit vote due for each member; these have cast it. Counted
/// then and not at the reveal: whoever audits what was revealed at the end of an epoch votes in the
/// next one.
void count_audit(block_run& run, std::span<const cast_vote<audit_verdict>> votes);
/// The member has cast one after the decision.
void count_late_vote(block_run& run, const address& member);

/// Whether the validator was in the committee of that epoch, one of the 64 up to its last seat.
[[nodiscard]] bool had_seat(const validator_row& v, epoch_number epoch);

/// Signed at least half of the epoch's blocks that a later one of it shows signatures for, and cast
/// at least half of the audit votes due. Every block but the first shows them for its parent.
[[nodiscard]] bool took_part(const committee_seat& seat, std::uint64_t signed_blocks,
                             std::uint64_t audits_due);
/// floor(amount * power / all power) to each member who took part; the rest is for the next target
/// budget. All of `amount` leaves the unissued.
void reward_validators(block_run& run, shannons amount);

/// The next epoch's committee: of those who want a seat and own at least the minimum the
/// committee_size largest by stake, ties by address; power 0 is no seat. Should nobody have the
/// minimum, the old committee stays: a network never loses its last member.
void seat_next_committee(block_run& run);

}  // namespace soma::rules
