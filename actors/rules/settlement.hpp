// Audit votes, protocol §8.3, and how they end a submission, protocol §8.4. Payments need no
// further transaction.
#pragma once

#include "actors/rules/block_run.hpp"

namespace soma::rules {

/// The checks of an audit vote, without its effect. Protocol §8.3.
[[nodiscard]] refused check_vote(const block_run& run, const address& sender,
                                 const tx::vote_on_submission& what);

/// Casts a member's vote: only members may vote, only after the reveal, once each, without a fee.
/// `ok` is taken from those alone whom the audit calls; any other verdict is taken from every
/// member, and calls all. The vote ends the submission as soon as one side has a quorum, or the
/// sample has said `ok`. A vote that comes after that is still counted as cast if it agrees and its
/// member had been called, since otherwise a quick decision would make the remaining members
/// absent. It changes nothing else, and it is refused once the epoch after the claim is over.
[[nodiscard]] refused vote_on_submission(block_run& run, const address& sender,
                                         const tx::vote_on_submission& what);

/// The ends of an audit. `forfeit` is void with the bond burned, `give_back` is void with the bond
/// returned.
enum class audit_end : std::uint8_t { wait, extend, settle, slash, forfeit, give_back };
/// Whether the votes decide already, each weighed by what its voter has in the present committee. A
/// quorum for `ok` settles, a quorum for verdicts that can be checked again slashes, and a quorum
/// for these and `unavailable` together forfeits. Protocol §8.4.
[[nodiscard]] audit_end decide_by_quorum(const submission_row& s, const committee_row& present);
/// Whether the sample settles the submission: nobody but its members is called, and enough of its
/// draws fell on members who have said `ok`. Protocol §8.4.5.
[[nodiscard]] bool sample_settles(const genesis_parameters& p, const submission_row& s,
                                  const committee_row& present, const chain_row& chain);
/// The decision at the end of `epoch`: nothing in the epoch of the claim. After that, without a
/// quorum, the audit is put off by one epoch, at most `max_extensions` times, and is then void.
/// Protocol §8.4.1.
[[nodiscard]] audit_end decide_at_epoch_end(const submission_row& s, const committee_row& present,
                                            epoch_number epoch, std::uint32_t max_extensions);

/// Pays the reward: half of it and the odd shannon to the submitter, half to the model (commission,
/// then pool). Returns the bond. Protocol §8.4.2.
void settle(block_run& run, const target_id& target);
/// Pays half of the bond to the present members that found the submission wrong, by power, and
/// burns the rest. The reward goes back to the pot. Protocol §8.4.3.
void slash(block_run& run, const target_id& target);
/// Nobody is paid and the reward goes back to the pot. The bond goes back, unless the data was
/// unavailable: then it burns. Protocol §8.4.4.
void void_claim(block_run& run, const target_id& target, void_reason reason);
/// Burns the bond and returns the reward to the pot. Protocol §8.2.1.
void miss_reveal(block_run& run, const target_id& target);

/// The end of an epoch, protocol §9.4, for the targets on its agenda. Open targets expire; audits
/// that are due end; reveals that can no longer come count as missed. What has not ended is
/// examined again at the end of the next epoch.
void close_targets(block_run& run);

}  // namespace soma::rules
