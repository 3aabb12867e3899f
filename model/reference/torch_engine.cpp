#include "model/reference/torch_engine.hpp"

#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>

#include "messages/values/assert.hpp"
#include "model/noise/noise.hpp"
#include "model/reference/boundary.hpp"
#include "model/reference/network.hpp"
#include "model/reference/threads.hpp"
#include "model/tokens/tokens.hpp"

namespace soma::reference {
namespace {

using at::Tensor;
using scoring::score;
using tokens::token;

/// The tensors are views of the weights and not copies, so the engine keeps the weights alive.
network network_over(const weights::model_weights& model) {
  std::map<std::string, std::vector<std::int64_t>> shapes;
  for (const auto& spec : weights::tensor_table(model.architecture())) {
    shapes[spec.name].assign(spec.shape.begin(), spec.shape.end());
  }
  const auto& arch = model.architecture();
  return make_network(arch.layers, arch.heads, [&](const std::string& name) {
    return at::from_blob(const_cast<float*>(model.tensor(name).data()), shapes.at(name),
                         at::kFloat);
  });
}

Tensor ids_of(std::span<const token> tokens, std::int64_t sequences) {
  Tensor ids =
      at::empty({sequences, static_cast<std::int64_t>(tokens.size()) / sequences}, at::kLong);
  std::copy(tokens.begin(), tokens.end(), ids.data_ptr<std::int64_t>());
  return ids;
}

/// Sums over the positions of one batch, in binary64.
struct batch_sums {
  double cross_entropy = 0;
  double byte_cross_entropy = 0;
  std::uint64_t predicted_bytes = 0;
  double sigreg = 0;
  Tensor embedding;  // [D] binary64
};

class torch_engine final : public scoring::scoring_engine {
 public:
  explicit torch_engine(const weights::model_weights& model)
      : weights_(model), arch_(model.architecture()), net_(network_over(weights_)) {
    configure_threads_by_default();
  }

  [[nodiscard]] std::string_view name() const override { return "torch"; }

  [[nodiscard]] expected<score, scoring::score_refusal> run(
      byte_view data, std::uint64_t seed, const scoring::score_options& options) override {
    if (data.empty()) return make_unexpected(scoring::score_refusal::empty_data);
    if (data.size() > scoring::max_scored_bytes)
      return make_unexpected(scoring::score_refusal::data_too_large);
    try {
      return at_boundary([&] { return score_all(data, seed, options); });
    } catch (const std::bad_alloc&) {
      return make_unexpected(scoring::score_refusal::out_of_memory);
    }
  }

  [[nodiscard]] std::vector<float> next_byte_log_probs(byte_view context,
                                                       std::uint64_t offset) override {
    SOMA_ASSERT(!context.empty() && context.size() <= arch_.max_seq, "a context has 1..S bytes");
    SOMA_ASSERT(offset <= UINT32_MAX - context.size(), "positions are 32-bit byte offsets");
    return at_boundary([&] { return log_probs(context, static_cast<std::uint32_t>(offset)); });
  }

 private:
  /// The representation of `sequences` sequences of S tokens, [sequences * S, D].
  [[nodiscard]] Tensor represented(std::span<const token> tokens,
                                   std::span<const std::uint32_t> positions,
                                   std::int64_t sequences) const {
    const Tensor ids = ids_of(tokens, sequences);
    const Tensor y =
        represent(ids, net_, make_rotary(positions, sequences, arch_.dim / arch_.heads),
                  causal_mask(ids.size(1)));
    return y.view({-1, y.size(-1)});
  }

  score score_all(byte_view data, std::uint64_t seed, const scoring::score_options& options) {
    SOMA_ASSERT(options.batch >= 1, "a batch has a sequence");
    const c10::InferenceMode inference;
    score result;
    result.embedding.assign(arch_.dim, 0.0f);
    double bits = 0;
    std::uint64_t predicted = 0;
    const std::uint64_t total = tokens::sequence_count(data.size(), arch_.max_seq);
    std::uint64_t b = 0;
    for (std::uint64_t first = 0; first < total; first += options.batch, ++b) {
      const auto batch = tokens::make_batch(data, arch_.max_seq, first, options.batch);
      const batch_sums part = score_batch(batch, seed + b);
      fold_in(result, part, static_cast<double>(batch.tokens.size()), static_cast<float>(b + 1));
      bits += part.byte_cross_entropy / std::numbers::ln2;
      predicted += part.predicted_bytes;
    }
    result.bits_per_byte =
        predicted == 0 ? 0.0f : static_cast<float>(bits / static_cast<double>(predicted));
    result.valid =
        std::isfinite(result.loss) && std::all_of(result.embedding.begin(), result.embedding.end(),
                                                  [](float value) { return std::isfinite(value); });
    return result;
  }

  /// Updates the running means over batches, in which every batch weighs the same.
  static void fold_in(score& result, const batch_sums& part, double positions, float n) {
    const auto cross_entropy = static_cast<float>(part.cross_entropy / positions);
    const auto sigreg = static_cast<float>(part.sigreg / positions);
    const float loss = cross_entropy + sigreg_coefficient * sigreg;
    result.cross_entropy += (cross_entropy - result.cross_entropy) / n;
    result.sigreg += (sigreg - result.sigreg) / n;
    result.loss += (loss - result.loss) / n;
    const double* embedding = part.embedding.data_ptr<double>();
    for (float& mean : result.embedding) {
      mean += (static_cast<float>(*embedding++ / positions) - mean) / n;
    }
  }

  batch_sums score_batch(const tokens::token_batch& batch, std::uint64_t seed) {
    const std::int64_t d = arch_.dim;
    auto noise = noise::normals(seed, static_cast<std::size_t>(d * sigreg_slices));
    const Tensor unit = directions(at::from_blob(noise.data(), {d, sigreg_slices}, at::kFloat));
    const Tensor y = represented(batch.tokens, batch.positions, batch.sequences);
    batch_sums total;
    add_cross_entropy(total, y, batch.targets);
    total.sigreg = sigreg_sum(y, unit);
    total.embedding = y.sum(0, false, at::kDouble);
    return total;
  }

  void add_cross_entropy(batch_sums& total, const Tensor& y,
                         const std::vector<token>& targets) const {
    const Tensor log_p = at::log_softmax(linear(y, net_.predictor), -1);
    const float* row = log_p.data_ptr<float>();
    for (const token target : targets) {
      if (target != tokens::pad_token) total.cross_entropy -= static_cast<double>(row[target]);
      if (target < tokens::pad_token) {
        total.byte_cross_entropy -= static_cast<double>(row[target]);
        ++total.predicted_bytes;
      }
      row += model_architecture::vocab;
    }
  }

  std::vector<float> log_probs(byte_view context, std::uint32_t offset) {
    const c10::InferenceMode inference;
    const std::vector<token> tokens(context.begin(), context.end());
    std::vector<std::uint32_t> positions(context.size());
    for (std::size_t j = 0; j < positions.size(); ++j)
      positions[j] = offset + static_cast<std::uint32_t>(j);
    const Tensor y = represented(tokens, positions, 1);
    const Tensor logits = linear(y, net_.predictor).narrow(1, 0, 256);
    const Tensor result = at::log_softmax(logits, -1).contiguous();
    return {result.data_ptr<float>(), result.data_ptr<float>() + result.numel()};
  }

  weights::model_weights weights_;
  model_architecture arch_;
  network net_;
};

}  // namespace

std::unique_ptr<scoring::scoring_engine> make_torch_engine(const weights::model_weights& model) {
  return at_boundary([&] { return std::make_unique<torch_engine>(model); });
}

}  // namespace soma::reference
