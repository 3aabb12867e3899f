// Audit votes, protocol §8.3, and how they end a submission, protocol §8.4. Payments need no
// further transaction.
#pragma once

#include "actors/rules/block_run.hpp"

namespace soma::rules {

/// Only members, only after the reveal, once each, free of fee. Ends the submission as soon as one
/// side has a quorum. A vote that comes after that still counts as cast, or a quick quorum would
/// make absentees of the rest; it changes nothing else, and it is refused once the epoch after the
/// claim is over.
[[nodiscard]] refused vote_on_submission(block_run& run, const address& sender,
                                         const tx::vote_on_submission& what);

enum class audit_end : std::uint8_t { wait, extend, settle, slash };
/// Whether votes alone decide already: a quorum for `ok` settles, a quorum for the others slashes.
[[nodiscard]] audit_end decide_by_quorum(const submission_row& s);
/// What the end of `epoch` brings: nothing in the epoch of the claim; then whichever side has more
/// power, a tie settles; with fewer than a third of the votes one more epoch, at most
/// `max_extensions`, then settled. Protocol §8.4.1.
[[nodiscard]] audit_end decide_at_epoch_end(const submission_row& s, epoch_number epoch,
                                            std::uint32_t max_extensions);

/// The reward: half and the odd shannon to the submitter, half to the model (commission, then
/// pool). Bond returned. Protocol §8.4.2.
void settle(block_run& run, const target_id& target);
/// Half of the bond goes to the voters against, by power, the rest is burned. The reward waits for
/// the next budget. Protocol §8.4.3.
void slash(block_run& run, const target_id& target);
/// Bond burned, reward back. Protocol §8.2.1.
void miss_reveal(block_run& run, const target_id& target);

/// End of epoch, protocol §9.4, for the targets on its agenda: open ones expire; audits that are
/// due end; reveals that can no longer come are missed. What has not ended stays for the next
/// epoch.
void close_targets(block_run& run);

}  // namespace soma::rules
