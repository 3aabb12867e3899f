#include "actors/scorer/competition.hpp"

#include <bit>
#include <cmath>

#include "actors/rules/winner.hpp"
#include "messages/crypto/hash.hpp"
#include "model/scoring/distance.hpp"

namespace soma::scorer {
namespace {

constexpr std::uint32_t farthest_q30 = std::uint32_t{2} << 30U;

}  // namespace

expected<contest_result, scoring::score_refusal> compete(std::span<const competitor> competitors,
                                                         const contest& what) {
  contest_result result;
  result.data = data_hash{crypto::hash("soma.blob-data", what.data).value};
  result.entries.resize(competitors.size());
  // A contender is invalid until its score is finished, and the rules ignore invalid ones.
  std::vector<rules::contender> field;
  for (const auto& model : competitors) {
    field.push_back({model.ref, model.activation_order, 0, false});
  }
  scoring::score_options options;
  if (what.winner_only) {
    options.keep_going = [&field](const exact::partial_score& partial) {
      const float least = exact::least_final_loss(partial);
      // A loss that is not a number never becomes one, and such a score loses to any valid one.
      if (!std::isfinite(least)) return !rules::winner_of(field).has_value();
      return !rules::cannot_win(least, field);
    };
  }
  for (const auto i : rules::by_activation(field)) {
    const auto& model = competitors[i];
    auto& entry = result.entries[i];
    if (model.engine == nullptr) {
      entry.given_up = true;
      continue;
    }
    auto score = model.engine->run(what.data, what.seed, options);
    if (!score && score.error() == scoring::score_refusal::given_up) {
      entry.given_up = true;
      continue;
    }
    if (!score) return make_unexpected(score.error());
    entry.digest =
        scoring::score_digest(model.architecture, model.weights, result.data, what.seed, *score);
    field[i].loss_bits = std::bit_cast<std::uint32_t>(score->loss);
    field[i].valid = score->valid;
    entry.score = std::move(*score);
  }
  const auto winner = rules::winner_of(field);
  result.distance_q30 = farthest_q30;
  if (!winner) return result;
  result.winner = static_cast<std::uint32_t>(*winner);
  if (what.point.empty()) {
    result.distance_q30 = 0;
  } else if (const auto distance =
                 scoring::distance_q30(what.point, result.entries[result.winner].score.embedding)) {
    result.distance_q30 = *distance;
  }
  return result;
}

}  // namespace soma::scorer
