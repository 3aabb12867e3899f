// Opening targets, protocol §7. The pot pays for a target before it is drawn. The drawing itself
// needs floating point: the caller has it done and passes in a drawn_target. The models to which
// the target is assigned are chosen here, in integers.
#pragma once

#include <span>

#include "actors/rules/active_models.hpp"
#include "actors/rules/block_run.hpp"
#include "messages/signing/signing.hpp"

namespace soma::rules {

/// A target that is paid for and waits to be drawn.
struct wanted_draw {
  target_id id;
  std::uint64_t seed = 0;
  epoch_number epoch;
  std::uint32_t radius_q30 = 0;
  shannons reward;
  friend bool operator==(const wanted_draw&, const wanted_draw&) = default;
};

/// One answer to a wanted_draw: the point of its seed and its cosine distance to every active
/// model, truncated to units of 2^-30. Protocol §7.2 and §7.3.
struct drawn_target {
  std::uint64_t seed = 0;
  std::vector<float> point;
  std::vector<std::uint32_t> distances_q30;  // in the order of the models
};
struct drawn_targets {
  std::vector<model_version_ref> models;  // ascending
  std::vector<drawn_target> targets;      // one a wanted draw, in order
};

/// While so many times the pot's parts (protocol §3.5) of claims are not revealed, no target opens.
/// It is twice what the wanted rate fills in the time that a reveal has.
inline constexpr std::uint64_t most_standing = 2;

/// Pays for the targets that wait, as far as the pot allows, and names their draws: each sets its
/// reward aside and follows from the entropy of this block and its index. There are models to
/// assign them to. Protocol §7.1.3 and §7.7.
[[nodiscard]] std::vector<wanted_draw> pay_for_targets(block_run& run);

/// What stake takes off a candidate's score: floor(stake_bonus * s_i / 10^6) with s_i =
/// isqrt(stake_i) * 10^6 / max_j isqrt(stake_j), and 0 when no candidate has stake. In the order of
/// the candidates; the same for all targets of a block. Protocol §7.4.
[[nodiscard]] std::vector<std::int64_t> stake_bonuses(std::span<const candidate> candidates,
                                                      std::int64_t stake_bonus_ppm);
/// score_i = floor((d_i - mean) * 10^6 / std) - bonus_i; mean and variance are floors, std = max(1,
/// isqrt(variance)). Every division rounds towards minus infinity. All in the order of the
/// candidates; distances are at most 2^31. Protocol §7.5.
[[nodiscard]] std::vector<std::int64_t> assignment_scores(
    std::span<const std::uint32_t> distances_q30, std::span<const std::int64_t> bonuses);
/// Indices of the `count` lowest scores, ties by index, which is by id; best first. Protocol §7.6.
[[nodiscard]] std::vector<std::size_t> lowest(std::span<const std::int64_t> scores,
                                              std::size_t count);

/// Why an answer does not fit its draws, protocol §10.4. It is reported to the drawer and never
/// part of a block.
enum class draw_refusal : std::uint8_t {
  wrong_number,
  wrong_seed,
  wrong_dimension,
  wrong_models,
  distance_out_of_range
};
[[nodiscard]] std::string_view to_text(draw_refusal reason);

/// Whether `drawn` answers `wanted` one by one, in order, each with exactly the candidates'
/// distances.
[[nodiscard]] std::optional<draw_refusal> check_draws(std::span<const wanted_draw> wanted,
                                                      const drawn_targets& drawn,
                                                      std::span<const candidate> candidates,
                                                      std::uint32_t dim);
/// Writes the target's row. The draw has been checked; `bonuses` are those of the candidates.
void open_target(block_run& run, const wanted_draw& wanted, const drawn_target& drawn,
                 std::span<const candidate> candidates, std::span<const std::int64_t> bonuses);

}  // namespace soma::rules
