#include "model/scoring/exact_engine.hpp"

#include <unistd.h>

#include <algorithm>

#include "messages/values/assert.hpp"
#include "model/tokens/tokens.hpp"

namespace soma::scoring {

exact::network_view view_of(const weights::model_weights& model) {
  const auto at = [&model](const std::string& name) { return model.tensor(name).data(); };
  const auto linear = [&](const std::string& name) {
    return exact::affine_view{at(name + ".weight"), at(name + ".bias")};
  };
  const auto norm = [&](const std::string& name) {
    return exact::norm_view{at(name + ".gamma"), at(name + ".beta")};
  };
  exact::network_view view;
  view.architecture = model.architecture();
  view.embedding = at("embedding.weight");
  for (std::uint32_t l = 0; l < view.architecture.layers; ++l) {
    const std::string p = "encoder.layers." + std::to_string(l) + ".";
    view.layers.push_back({norm(p + "norm_1"), linear(p + "attention.query"),
                           linear(p + "attention.key"), linear(p + "attention.value"),
                           linear(p + "attention.output"), norm(p + "norm_2"),
                           linear(p + "pwff.linear_inner"), linear(p + "pwff.linear_outer")});
  }
  view.final_norm = norm("final_norm");
  view.predictor = linear("predictor");
  return view;
}

namespace {

/// A request scores up to sixteen models, and each engine keeps the layers that it packed.
/// Therefore each engine may use a sixteenth of the memory.
std::uint64_t worker_budget_bytes() {
  constexpr std::uint64_t least = 256U << 20U;
  const auto pages = static_cast<std::uint64_t>(std::max(::sysconf(_SC_PHYS_PAGES), 0L));
  const auto page_bytes = static_cast<std::uint64_t>(std::max(::sysconf(_SC_PAGESIZE), 0L));
  return std::max(least, pages * page_bytes / 16);
}

class exact_engine final : public scoring_engine {
 public:
  exact_engine(const weights::model_weights& model, std::shared_ptr<exact::workspace> space,
               const exact::engine_options& options)
      : weights_(model), engine_(view_of(weights_), std::move(space), options) {}

  [[nodiscard]] std::string_view name() const override { return "exact"; }

  [[nodiscard]] expected<score, score_refusal> run(byte_view data, std::uint64_t seed,
                                                   const score_options& options) override {
    const exact::score_item item{data, seed};
    auto scores = run_all(std::span(&item, 1), options);
    if (!scores) return make_unexpected(scores.error());
    if (!scores->front()) return make_unexpected(score_refusal::given_up);
    return std::move(*scores->front());
  }

  [[nodiscard]] expected<std::vector<std::optional<score>>, score_refusal> run_all(
      std::span<const exact::score_item> items, const score_options& options) override {
    SOMA_ASSERT(options.batch >= 1, "a batch has a sequence");
    std::uint64_t sequences = 0;
    for (const auto& item : items) {
      if (item.data.empty()) return make_unexpected(score_refusal::empty_data);
      if (item.data.size() > max_scored_bytes) {
        return make_unexpected(score_refusal::data_too_large);
      }
      sequences += tokens::sequence_count(item.data.size(), weights_.architecture().max_seq);
    }
    if (!engine_.plan(sequences, options.batch)) {
      return make_unexpected(score_refusal::out_of_memory);
    }
    try {
      auto scores = engine_.run(items, options.batch, options.keep_going);
      SOMA_ASSERT(scores.size() == items.size(), "every item has a score or was given up");
      return scores;
    } catch (const std::bad_alloc&) {
      return make_unexpected(score_refusal::out_of_memory);
    }
  }

  [[nodiscard]] std::vector<float> next_byte_log_probs(byte_view context,
                                                       std::uint64_t offset) override {
    SOMA_ASSERT(!context.empty() && context.size() <= weights_.architecture().max_seq,
                "a context has 1..S bytes");
    SOMA_ASSERT(offset <= UINT32_MAX - context.size(), "positions are 32-bit byte offsets");
    return engine_.next_byte_log_probs(context, static_cast<std::uint32_t>(offset));
  }

 private:
  weights::model_weights weights_;
  exact::engine engine_;
};

}  // namespace

std::unique_ptr<scoring_engine> make_exact_engine(const weights::model_weights& model,
                                                  std::shared_ptr<exact::workspace> space,
                                                  const exact::engine_options& options) {
  return std::make_unique<exact_engine>(model, std::move(space), options);
}

std::function<std::unique_ptr<scoring_engine>(const weights::model_weights&)> exact_engines(
    unsigned threads) {
  const exact::engine_options options{worker_budget_bytes(), true};
  return [space = std::make_shared<exact::workspace>(threads),
          options](const weights::model_weights& model) {
    return make_exact_engine(model, space, options);
  };
}

}  // namespace soma::scoring
