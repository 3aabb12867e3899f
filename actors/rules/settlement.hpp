// Audit votes, protocol §8.3, and how they end a submission, protocol §8.4. Payments need no
// further transaction.
#pragma once

#include "actors/rules/block_run.hpp"

namespace soma::rules {

/// Casts a member's vote: only members may vote, only after the reveal, once each, without a fee.
/// It ends the submission as soon as one side has a quorum. A vote that comes after that is still
/// counted as cast, since otherwise a quick quorum would make the remaining members absent. It
/// changes nothing else, and it is refused once the epoch after the claim is over.
[[nodiscard]] refused vote_on_submission(block_run& run, const address& sender,
                                         const tx::vote_on_submission& what);

enum class audit_end : std::uint8_t { wait, extend, settle, slash };
/// Whether the votes alone decide already: a quorum for `ok` settles, a quorum for other verdicts
/// slashes.
[[nodiscard]] audit_end decide_by_quorum(const submission_row& s);
/// The decision at the end of `epoch`: nothing in the epoch of the claim. After that the side with
/// more power wins, and a tie settles. With fewer than a third of the votes the audit is put off by
/// one epoch, at most `max_extensions` times, and then settled. Protocol §8.4.1.
[[nodiscard]] audit_end decide_at_epoch_end(const submission_row& s, epoch_number epoch,
                                            std::uint32_t max_extensions);

/// Pays the reward: half of it and the odd shannon to the submitter, half to the model (commission,
/// then pool). Returns the bond. Protocol §8.4.2.
void settle(block_run& run, const target_id& target);
/// Pays half of the bond to the members that voted against, by power, and burns the rest. The
/// reward goes back to the pot. Protocol §8.4.3.
void slash(block_run& run, const target_id& target);
/// Burns the bond and returns the reward to the pot. Protocol §8.2.1.
void miss_reveal(block_run& run, const target_id& target);

/// The end of an epoch, protocol §9.4, for the targets on its agenda. Open targets expire; audits
/// that are due end; reveals that can no longer come count as missed. What has not ended is
/// examined again at the end of the next epoch.
void close_targets(block_run& run);

}  // namespace soma::rules
