#include "model/scoring/engine.hpp"

namespace soma::scoring {

std::string_view to_text(score_refusal refusal) {
  switch (refusal) {
    case score_refusal::empty_data:
      return "there is no data to score";
    case score_refusal::data_too_large:
      return "the data is larger than 1 GiB";
    case score_refusal::out_of_memory:
      return "there is not enough memory to score with these weights";
    case score_refusal::given_up:
      return "the score was given up before it was finished";
  }
  return "unknown";
}

hash256 score_digest(const model_architecture& arch, const weights_hash& weights,
                     const data_hash& data, std::uint64_t seed, const score& result) {
  return hash256{exact::score_digest(arch, weights.value, data.value, seed, result)};
}

expected<std::vector<std::optional<score>>, score_refusal> scoring_engine::run_all(
    std::span<const exact::score_item> items, const score_options& options) {
  std::vector<std::optional<score>> scores;
  for (const auto& item : items) {
    auto one = run(item.data, item.seed, options);
    if (!one && one.error() != score_refusal::given_up) return make_unexpected(one.error());
    scores.push_back(one ? std::optional(std::move(*one)) : std::nullopt);
  }
  return scores;
}

}  // namespace soma::scoring
