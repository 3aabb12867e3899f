#include "actors/scorer/competition.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

#include "actors/rules/winner.hpp"
#include "messages/crypto/hash.hpp"
#include "model/exact/distance.hpp"

namespace soma::actors {
namespace {

constexpr std::uint32_t farthest_q30 = std::uint32_t{2} << 30U;

std::vector<std::size_t> order_of_activation(std::span<const competitor> competitors) {
  std::vector<std::size_t> order(competitors.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const auto& x = competitors[a];
    const auto& y = competitors[b];
    return std::pair(x.activation_order, x.ref) < std::pair(y.activation_order, y.ref);
  });
  return order;
}

}  // namespace

expected<contest_result, model::score_refusal> compete(std::span<const competitor> competitors,
                                                       const contest& what) {
  contest_result result;
  result.data = data_hash{crypto::hash("soma.blob-data", what.data).value};
  result.entries.resize(competitors.size());
  std::vector<rules::contender> finished;
  std::vector<std::size_t> finished_index;
  model::score_options options;
  if (what.winner_only) {
    options.keep_going = [&finished](const exact::partial_score& partial) {
      const float least = exact::least_final_loss(partial);
      // A loss that is not a number stays so, and such a score loses to any valid one.
      const bool has_leader = rules::winner_of(finished).has_value();
      if (!std::isfinite(least)) return !has_leader;
      return !rules::cannot_win(least, finished);
    };
  }
  for (const auto i : order_of_activation(competitors)) {
    const auto& model = competitors[i];
    auto& entry = result.entries[i];
    auto score = model.engine->run(what.data, what.seed, options);
    if (!score && score.error() == model::score_refusal::given_up) {
      entry.given_up = true;
      continue;
    }
    if (!score) return make_unexpected(score.error());
    entry.digest =
        model::score_digest(model.architecture, model.weights, result.data, what.seed, *score);
    finished.push_back({model.ref, model.activation_order,
                        std::bit_cast<std::uint32_t>(score->loss), score->valid});
    finished_index.push_back(i);
    entry.score = std::move(*score);
  }
  const auto winner = rules::winner_of(finished);
  result.distance_q30 = farthest_q30;
  if (!winner) return result;
  result.winner = static_cast<std::uint32_t>(finished_index[*winner]);
  if (what.point.empty()) {
    result.distance_q30 = 0;
  } else if (const auto distance =
                 model::distance_q30(what.point, result.entries[result.winner].score.embedding)) {
    result.distance_q30 = *distance;
  }
  return result;
}

}  // namespace soma::actors
