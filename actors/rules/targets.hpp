// Protocol §7: opening targets. The budget pays for a target before it is drawn; the drawing itself
// (floating point) is done outside and comes back as a drawn_target; whom it is assigned to is
// decided here, in integers.
#pragma once

#include <span>

#include "actors/rules/block_run.hpp"
#include "actors/rules/derived_ids.hpp"

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

struct model_distance {
  model_version_ref model;
  std::uint32_t distance_q30 = 0;  // cosine distance of point and embedding, truncated
  friend bool operator==(const model_distance&, const model_distance&) = default;
};

/// The answer to a wanted_draw: the point of its seed and its distance to every active model.
struct drawn_target {
  std::uint64_t seed = 0;
  std::vector<float> point;
  std::vector<model_distance> distances;
};

/// A model version that may be assigned, with the stake that counts.
struct candidate {
  model_version_ref model;
  shannons stake;
  friend bool operator==(const candidate&, const candidate&) = default;
};
/// All of them, in order of their ids.
[[nodiscard]] std::vector<candidate> active_candidates(const ledger& state);

/// Sets the reward aside and names the draw; nullopt when the reward is zero or the budget cannot
/// pay it.
[[nodiscard]] std::optional<wanted_draw> pay_for_target(block_run& run, const draw_entropy& entropy,
                                                        std::uint64_t index);

struct scored_candidate {
  model_version_ref model;
  std::int64_t score = 0;
};
/// score_i = floor((d_i - mean) * 10^6 / std) - floor(stake_bonus * s_i / 10^6), s_i =
/// isqrt(stake_i) * 10^6 / max_j isqrt(stake_j) (0 when nobody has stake); mean and variance are
/// floors, std = max(1, isqrt(variance)). Every division rounds towards minus infinity. Same order
/// as the candidates; `distances_q30` runs parallel to them.
[[nodiscard]] std::vector<scored_candidate> assignment_scores(
    std::span<const candidate> candidates, std::span<const std::uint32_t> distances_q30,
    std::int64_t stake_bonus_ppm);
/// The `count` lowest scores, ties by id; best first.
[[nodiscard]] std::vector<model_version_ref> lowest(std::vector<scored_candidate> scores,
                                                    std::size_t count);

/// Why an answer does not fit its draws. Reported to the one who drew; never part of a block.
enum class draw_refusal : std::uint8_t {
  wrong_number,
  wrong_seed,
  wrong_dimension,
  wrong_models,
  distance_out_of_range
};
[[nodiscard]] std::string_view to_text(draw_refusal reason);

/// Whether `drawn` answers `wanted` one by one, in order, each with exactly the candidates'
/// distances, in any order.
[[nodiscard]] std::optional<draw_refusal> check_draws(std::span<const wanted_draw> wanted,
                                                      std::span<const drawn_target> drawn,
                                                      std::span<const candidate> candidates,
                                                      std::uint32_t dim);
/// Writes the target's row. The draw has been checked.
void open_target(block_run& run, const wanted_draw& wanted, const drawn_target& drawn,
                 std::span<const candidate> candidates);

}  // namespace soma::rules
