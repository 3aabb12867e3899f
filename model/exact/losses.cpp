#include "model/exact/losses.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "messages/values/assert.hpp"
#include "model/exact/float_state.hpp"
#include "model/noise/elementary.hpp"

namespace soma::exact {
namespace {

constexpr std::size_t vocab = model_architecture::vocab;
/// How many features are summed over the positions at a time.
constexpr std::size_t embedding_step = 64;

/// The constants of arithmetic §5.8.
sigreg_tables make_constants() {
  const float_state_guard exact_rounding;
  sigreg_tables tables{};
  const double step = 3.0 / (sigreg_points - 1);
  tables.step = static_cast<float>(step);
  for (std::size_t i = 0; i < sigreg_points; ++i) {
    const double t = static_cast<double>(i) * step;
    const double phi = noise::exact_exp(-(t * t) / 2);
    const bool end = i == 0 || i == sigreg_points - 1;
    tables.phi[i] = static_cast<float>(phi);
    tables.weight[i] = static_cast<float>(phi * (end ? step : 2 * step));
  }
  return tables;
}

}  // namespace

const sigreg_tables& sigreg_constants() {
  static const sigreg_tables tables = make_constants();
  return tables;
}

void measure_losses(forward_pass& pass, const network_view& network, workspace& space,
                    const float* predictor, const float* directions,
                    std::span<const sequence> sequences,
                    std::span<const std::span<const tokens::token>> targets, std::size_t first) {
  SOMA_ASSERT(!sequences.empty() && sequences.size() == targets.size(),
              "every sequence has targets");
  const auto& k = space.kernels();
  const std::size_t dim = network.architecture.dim;
  const std::size_t panel = k.panel;
  const std::size_t padded_length = pass.sizes().padded_length;
  const std::size_t blocks = round_up(sequences.front().tokens.size(), block_tokens) / block_tokens;
  space.pool().run(sequences.size() * blocks, [&](std::size_t tile, unsigned worker) {
    const std::size_t s = tile / blocks;
    const std::size_t block = tile % blocks;
    float* const x = pass.x_block(first + s, block);
    float* const y = pass.scratch(worker);
    float* const logits = y + block_tokens * dim;
    float* const projections = logits + block_tokens * round_up(vocab, panel);
    float* const rest = projections + block_tokens * round_up(sigreg_slices, panel);
    k.layer_norm(x, network.final_norm.gamma, network.final_norm.beta, dim, y);
    std::copy(y, y + block_tokens * dim, x);
    k.multiply({predictor, dim * panel, vocab, y, 0, logits, 0, 1, dim, true});
    k.add_bias(logits, network.predictor.bias, vocab);
    float maximum[block_tokens];
    float log_sum[block_tokens];
    float statistic[block_tokens];
    k.log_sum_exp(logits, vocab, maximum, log_sum);
    k.multiply({directions, dim * panel, sigreg_slices, y, 0, projections, 0, 1, dim, true});
    k.sigreg(projections, sigreg_constants(), statistic, rest);
    float* const losses = pass.memory().losses + (first + s) * pass.sizes().losses;
    const std::size_t start = block * block_tokens;
    const std::size_t count = std::min(block_tokens, sequences[s].tokens.size() - start);
    for (std::size_t t = 0; t < count; ++t) {
      const auto target = targets[s][start + t];
      losses[start + t] = target == tokens::pad_token
                              ? 0.0f
                              : log_sum[t] - (logits[target * block_tokens + t] - maximum[t]);
      losses[padded_length + start + t] = statistic[t];
    }
  });
}

void embed_sequence(const forward_pass& pass, std::size_t sequence, std::size_t tokens,
                    std::size_t dim, float* embedding) {
  for (std::size_t from = 0; from < dim; from += embedding_step) {
    const std::size_t features = std::min(embedding_step, dim - from);
    float lanes[embedding_step][sum_lanes] = {};
    for (std::size_t start = 0; start < tokens; start += block_tokens) {
      const float* const y = pass.x_block(sequence, start / block_tokens) + from * block_tokens;
      const std::size_t count = std::min(block_tokens, tokens - start);
      for (std::size_t d = 0; d < features; ++d) {
        for (std::size_t t = 0; t < count; ++t) {
          lanes[d][t % sum_lanes] += y[d * block_tokens + t];
        }
      }
    }
    for (std::size_t d = 0; d < features; ++d) {
      lane_sum sum;
      for (std::size_t l = 0; l < sum_lanes; ++l) sum.add(l, lanes[d][l]);
      embedding[from + d] = sum.fold() / static_cast<float>(tokens);
    }
  }
}

void batch_sums::add(const float* cross_entropies, const float* statistics, const float* embedding,
                     std::span<const tokens::token> targets) {
  for (std::size_t j = 0; j < targets.size(); ++j) {
    cross_entropy_.add(positions_ + j, cross_entropies[j]);
    sigreg_.add(positions_ + j, statistics[j]);
    if (targets[j] < tokens::pad_token) {
      bits += static_cast<double>(cross_entropies[j]) / std::numbers::ln2;
      ++predicted;
    }
  }
  for (std::size_t d = 0; d < embedding_.size(); ++d) embedding_[d].add(sequences_, embedding[d]);
  positions_ += targets.size();
  ++sequences_;
}

void batch_sums::fold_into(score& score, std::uint64_t number) {
  SOMA_ASSERT(number >= 1 && positions_ > 0, "a batch has a number and positions");
  const auto positions = static_cast<float>(positions_);
  const auto sequences = static_cast<float>(sequences_);
  const auto n = static_cast<float>(number);
  const float cross_entropy = cross_entropy_.fold() / positions;
  const float sigreg = sigreg_.fold() / positions;
  const float loss = cross_entropy + sigreg_coefficient * sigreg;
  score.cross_entropy += (cross_entropy - score.cross_entropy) / n;
  score.sigreg += (sigreg - score.sigreg) / n;
  score.loss += (loss - score.loss) / n;
  for (std::size_t d = 0; d < embedding_.size(); ++d) {
    score.embedding[d] += (embedding_[d].fold() / sequences - score.embedding[d]) / n;
  }
  cross_entropy_ = {};
  sigreg_ = {};
  std::fill(embedding_.begin(), embedding_.end(), lane_sum{});
  positions_ = 0;
  sequences_ = 0;
}

}  // namespace soma::exact
