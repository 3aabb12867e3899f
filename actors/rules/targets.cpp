#include "actors/rules/targets.hpp"

#include <algorithm>

#include "actors/rules/arithmetic.hpp"
#include "actors/rules/difficulty.hpp"

namespace soma::rules {
namespace {

/// The distances in the order of the candidates; nullopt unless there is exactly one for each.
std::optional<std::vector<std::uint32_t>> aligned(const drawn_target& drawn,
                                                  std::span<const candidate> candidates) {
  if (drawn.distances.size() != candidates.size()) return std::nullopt;
  auto sorted = drawn.distances;
  std::sort(sorted.begin(), sorted.end(),
            [](const auto& a, const auto& b) { return a.model < b.model; });
  std::vector<std::uint32_t> distances;
  distances.reserve(sorted.size());
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    if (sorted[i].model != candidates[i].model) return std::nullopt;
    distances.push_back(sorted[i].distance_q30);
  }
  return distances;
}

}  // namespace

std::vector<candidate> active_candidates(const ledger& state) {
  std::vector<candidate> all;
  for (const auto& id : state.models.keys_where(
           [](const model_row& m) { return m.status == model_status::active; })) {
    const auto& row = state.models.get(id);
    all.push_back({{id, row.active_version}, row.pool.stake});
  }
  return all;
}

std::optional<wanted_draw> pay_for_target(block_run& run, const draw_entropy& entropy,
                                          std::uint64_t index) {
  const auto& chain = run.state.chain();
  const shannons reward = chain.reward_per_target;
  if (reward.value == 0 || chain.target_budget < reward) return std::nullopt;
  run.state.must_move(of(pot::target_budget), of(pot::set_aside), reward);
  return wanted_draw{target_id_of(entropy, index), target_seed_of(entropy, index), run.epoch(),
                     radius_q30(chain.difficulty_ppm, run.parameters.architecture.dim), reward};
}

std::vector<scored_candidate> assignment_scores(std::span<const candidate> candidates,
                                                std::span<const std::uint32_t> distances_q30,
                                                std::int64_t stake_bonus_ppm) {
  std::vector<scored_candidate> scores;
  const std::size_t n = candidates.size();
  if (n == 0) return scores;
  wide_int sum = 0;
  std::uint64_t top_root = 0;
  for (std::size_t i = 0; i < n; ++i) {
    sum += distances_q30[i];
    top_root = std::max(top_root, integer_sqrt(candidates[i].stake.value));
  }
  const wide_int mean = floor_div(sum, static_cast<wide_int>(n));
  wide_int squares = 0;
  for (const auto d : distances_q30) squares += (d - mean) * (d - mean);
  // Distances are at most 2^31, so the variance is below 2^63.
  const auto variance = static_cast<std::uint64_t>(squares / static_cast<wide_int>(n));
  const wide_int deviation = std::max<std::uint64_t>(1, integer_sqrt(variance));
  for (std::size_t i = 0; i < n; ++i) {
    const wide_int root = integer_sqrt(candidates[i].stake.value);
    const wide_int weight = top_root == 0 ? 0 : root * millionths / top_root;
    const wide_int near =
        floor_div((distances_q30[i] - mean) * static_cast<wide_int>(millionths), deviation);
    const wide_int bonus = floor_div(stake_bonus_ppm * weight, millionths);
    scores.push_back({candidates[i].model, static_cast<std::int64_t>(near - bonus)});
  }
  return scores;
}

std::vector<model_version_ref> lowest(std::vector<scored_candidate> scores, std::size_t count) {
  std::sort(scores.begin(), scores.end(), [](const auto& a, const auto& b) {
    return std::pair(a.score, a.model) < std::pair(b.score, b.model);
  });
  std::vector<model_version_ref> chosen;
  for (std::size_t i = 0; i < std::min(count, scores.size()); ++i)
    chosen.push_back(scores[i].model);
  return chosen;
}

std::string_view to_text(draw_refusal reason) {
  switch (reason) {
    case draw_refusal::wrong_number:
      return "not as many targets as were wanted";
    case draw_refusal::wrong_seed:
      return "a target of another seed than wanted";
    case draw_refusal::wrong_dimension:
      return "a point of the wrong dimension";
    case draw_refusal::wrong_models:
      return "not the distances to exactly the active models";
    case draw_refusal::distance_out_of_range:
      return "a distance above 2";
  }
  return "unknown";
}

std::optional<draw_refusal> check_draws(std::span<const wanted_draw> wanted,
                                        std::span<const drawn_target> drawn,
                                        std::span<const candidate> candidates, std::uint32_t dim) {
  if (wanted.size() != drawn.size()) return draw_refusal::wrong_number;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (drawn[i].seed != wanted[i].seed) return draw_refusal::wrong_seed;
    if (drawn[i].point.size() != dim) return draw_refusal::wrong_dimension;
    const auto distances = aligned(drawn[i], candidates);
    if (!distances) return draw_refusal::wrong_models;
    for (const auto d : *distances) {
      if (d > max_radius_q30) return draw_refusal::distance_out_of_range;
    }
  }
  return std::nullopt;
}

void open_target(block_run& run, const wanted_draw& wanted, const drawn_target& drawn,
                 std::span<const candidate> candidates) {
  const auto distances = aligned(drawn, candidates);
  SOMA_ASSERT(distances.has_value(), "draws are checked before they are opened");
  auto scores = assignment_scores(candidates, *distances, run.parameters.stake_bonus_ppm);
  run.state.targets.put(wanted.id,
                        {.epoch = wanted.epoch,
                         .opened_at = run.height,
                         .point = drawn.point,
                         .radius_q30 = wanted.radius_q30,
                         .assigned = lowest(std::move(scores), run.parameters.models_per_target),
                         .reward = wanted.reward,
                         .status = target_status::open});
  auto& e = run.note(event_kind::target_opened);
  e.target = wanted.id;
  e.amount = wanted.reward;
}

}  // namespace soma::rules
