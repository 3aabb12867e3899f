#include "actors/rules/targets.hpp"

#include <algorithm>

#include "actors/rules/arithmetic.hpp"
#include "actors/rules/difficulty.hpp"
#include "actors/rules/emission.hpp"

namespace soma::rules {
std::vector<wanted_draw> pay_for_targets(block_run& run) {
  std::vector<wanted_draw> draws;
  const auto waiting = run.state.chain().targets_waiting;
  for (std::uint64_t index = 0; index < waiting; ++index) {
    const auto& chain = run.state.chain();
    const shannons reward = target_reward(run.parameters, chain);
    if (reward < least_reward(run.parameters, chain)) break;
    // The end of an epoch goes through all claims that stand, so there is a bound to them.
    if (chain.claims_standing >= most_standing * pot_parts(run.parameters)) break;
    run.state.must_move(of(pot::targets), of(pot::set_aside), reward);
    draws.push_back({signing::target_id_of(chain.entropy, index),
                     signing::target_seed(chain.entropy, index), run.epoch(),
                     radius_q30(chain.difficulty_ppm, run.parameters.architecture.dim), reward});
  }
  run.state.update_chain([&](chain_row& c) { c.targets_waiting -= draws.size(); });
  return draws;
}

std::vector<std::int64_t> stake_bonuses(std::span<const candidate> candidates,
                                        std::int64_t stake_bonus_ppm) {
  std::uint64_t top = 0;
  for (const auto& c : candidates) top = std::max(top, c.stake_root);
  std::vector<std::int64_t> bonuses;
  bonuses.reserve(candidates.size());
  for (const auto& c : candidates) {
    // Roots have at most 32 bits and the bonus is at most 10^9, so nothing here leaves 64 bits.
    const auto weight = top == 0 ? 0 : static_cast<std::int64_t>(c.stake_root * millionths / top);
    bonuses.push_back(stake_bonus_ppm * weight / static_cast<std::int64_t>(millionths));
  }
  return bonuses;
}

std::vector<std::int64_t> assignment_scores(std::span<const std::uint32_t> distances_q30,
                                            std::span<const std::int64_t> bonuses) {
  SOMA_ASSERT(distances_q30.size() == bonuses.size(), "one bonus a distance");
  std::vector<std::int64_t> scores;
  const std::size_t n = distances_q30.size();
  if (n == 0) return scores;
  std::uint64_t sum = 0;  // of at most 2^32 distances of at most 2^31
  for (const auto d : distances_q30) sum += d;
  const auto mean = static_cast<std::int64_t>(sum / n);
  wide_uint squares = 0;
  for (const auto d : distances_q30) {
    const auto away = static_cast<std::int64_t>(d) - mean;
    squares += static_cast<std::uint64_t>(away * away);
  }
  // Distances are at most 2^31, so the variance is below 2^63.
  const auto deviation = static_cast<std::int64_t>(
      std::max<std::uint64_t>(1, integer_sqrt(static_cast<std::uint64_t>(squares / n))));
  scores.reserve(n);
  for (std::size_t i = 0; i < n; ++i) {
    const auto scaled = (static_cast<std::int64_t>(distances_q30[i]) - mean) *
                        static_cast<std::int64_t>(millionths);  // below 2^51
    const auto near = scaled / deviation - (scaled % deviation < 0 ? 1 : 0);
    scores.push_back(near - bonuses[i]);
  }
  return scores;
}

std::vector<std::size_t> lowest(std::span<const std::int64_t> scores, std::size_t count) {
  std::vector<std::size_t> best;
  if (count == 0) return best;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (best.size() == count && scores[i] >= scores[best.back()]) continue;
    if (best.size() == count) best.pop_back();
    const auto place =
        std::upper_bound(best.begin(), best.end(), i,
                         [&](std::size_t a, std::size_t b) { return scores[a] < scores[b]; });
    best.insert(place, i);
  }
  return best;
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
                                        const drawn_targets& drawn,
                                        std::span<const candidate> candidates, std::uint32_t dim) {
  if (wanted.size() != drawn.targets.size()) return draw_refusal::wrong_number;
  if (wanted.empty()) return std::nullopt;
  if (!std::equal(candidates.begin(), candidates.end(), drawn.models.begin(), drawn.models.end(),
                  [](const candidate& c, const auto& model) { return c.model == model; })) {
    return draw_refusal::wrong_models;
  }
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const auto& target = drawn.targets[i];
    if (target.seed != wanted[i].seed) return draw_refusal::wrong_seed;
    if (target.point.size() != dim) return draw_refusal::wrong_dimension;
    if (target.distances_q30.size() != candidates.size()) return draw_refusal::wrong_models;
    for (const auto d : target.distances_q30) {
      if (d > max_radius_q30) return draw_refusal::distance_out_of_range;
    }
  }
  return std::nullopt;
}

void open_target(block_run& run, const wanted_draw& wanted, const drawn_target& drawn,
                 std::span<const candidate> candidates, std::span<const std::int64_t> bonuses) {
  std::vector<model_version_ref> assigned;
  for (const auto index :
       lowest(assignment_scores(drawn.distances_q30, bonuses), run.parameters.models_per_target)) {
    assigned.push_back(candidates[index].model);
  }
  SOMA_ASSERT(!assigned.empty(), "a target is drawn only where there are models");
  run.state.targets.put(wanted.id, {.epoch = wanted.epoch,
                                    .opened_at = run.height,
                                    .seed = drawn.seed,
                                    .point = drawn.point,
                                    .radius_q30 = wanted.radius_q30,
                                    .assigned = std::move(assigned),
                                    .reward = wanted.reward,
                                    .status = target_status::open});
  auto& e = run.note(event_kind::target_opened);
  e.target = wanted.id;
  e.amount = wanted.reward;
}

}  // namespace soma::rules
