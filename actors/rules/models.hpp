// The life of a model, protocol §6: committed in epoch e, revealed in e + 1, and active from e + 2
// on if a quorum of the present committee has found it good by then. The order of checks is the
// order of the refusals. Protocol §6.10 draws the states of models and versions.
#pragma once

#include "actors/rules/block_run.hpp"

namespace soma::rules {

/// Commits to a new model, or to the next version of the sender's own model. Protocol §6.2.
[[nodiscard]] refused commit_model(block_run& run, const address& sender,
                                   const tx::commit_model& what);
/// Reveals the version that was committed in the previous epoch. Protocol §6.3.
[[nodiscard]] refused reveal_model(block_run& run, const address& sender,
                                   const tx::reveal_model& what);
/// Retires the sender's own model at the end of the epoch. Protocol §6.9.
[[nodiscard]] refused retire_model(block_run& run, const address& sender,
                                   const tx::retire_model& what);
/// Free for members of the committee: judging is their duty. A quorum of other verdicts than `good`
/// slashes the model, and nobody is paid for it. Protocol §6.5 and §6.6.
[[nodiscard]] refused vote_on_model(block_run& run, const address& sender,
                                    const tx::vote_on_model& what);
/// The checks of such a vote, without its effect.
[[nodiscard]] refused check_vote(const block_run& run, const address& sender,
                                 const tx::vote_on_model& what);

/// Refuses an embedding that does not have exactly `dim` values, that has a value whose magnitude
/// is above 2^56 or not finite, or that has no value with a magnitude of at least 2^-60: outside
/// these bounds its squared norm may leave binary32. Protocol §6.4.
[[nodiscard]] refused check_embedding(std::span<const float> embedding, std::uint32_t dim);

/// At the end of an epoch, for the models on its agenda: drops versions that were committed in an
/// earlier epoch and never revealed. A model that has never been active loses half of its own
/// stake. Protocol §6.7.
void drop_missed_reveals(block_run& run, std::span<const model_id> models);
/// At the end of an epoch, for the models on its agenda: ends the trials of revealed versions, and
/// lets retiring models leave. Protocol §6.8 and §6.9.
void activate_and_retire(block_run& run, std::span<const model_id> models);

/// Activates the model's revealed version if `good` has a quorum of the present committee.
/// Otherwise the version waits for the next epoch's end, and is dropped at the third. Protocol
/// §6.8.
void end_trial(block_run& run, const model_id& model);

/// Drops the latest version, which is revealed or being revealed, without a slash: no quorum called
/// it good, or `published_by` has published its weights before. A model that never was active ends
/// with it, and its stake can be withdrawn. Protocol §6.3 and §6.8.
void give_up(block_run& run, const model_id& model, const address& published_by);

/// The ends of epochs at which a revealed version may be found good.
inline constexpr std::uint64_t trial_epochs = 3;
/// The most that a file of weights holds beside its values. Protocol §6.2.
inline constexpr std::uint64_t max_header_bytes = std::uint64_t{1} << 20;
/// The bytes of all values of a model of this architecture. Protocol §6.2.
[[nodiscard]] std::uint64_t weights_bytes(const model_architecture& architecture);

[[nodiscard]] model_version_ref latest_of(const model_id& model, const model_row& row);
/// Takes the active version, if there is one, out of what targets can be assigned to.
void leave_registry(block_run& run, const model_id& model, const model_row& row);

}  // namespace soma::rules
