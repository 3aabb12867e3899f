#include "model/training/pass.hpp"

#include <array>
#include <cmath>
#include <cstring>

#include "messages/values/assert.hpp"
#include "model/tokens/tokens.hpp"
#include "model/training/layers.hpp"
#include "model/training/state.hpp"

namespace soma::training {

std::uint64_t activation_bytes(const model_architecture& arch, std::uint64_t positions) {
  return 4 * positions * arch.layers * (6ull * arch.dim + arch.ffn + arch.heads);
}

namespace {

/// Divides each column of [d][k] by its length.
std::vector<float> unit_columns(const std::vector<float>& noise, std::size_t d, std::size_t k) {
  std::vector<double> squares(k);
  for (std::size_t i = 0; i < d * k; ++i) squares[i % k] += double{noise[i]} * noise[i];
  std::vector<float> unit(noise);
  for (std::size_t i = 0; i < d * k; ++i) unit[i] /= static_cast<float>(std::sqrt(squares[i % k]));
  return unit;
}

}  // namespace

struct training_pass::implementation : training_state {
  using training_state::training_state;

  float_buffer d_sigreg;  // [sigreg positions][D]: the gradient of SIGReg's part of the loss

  void begin(const float* from, const step_input& input);
  void embed(const step_input& input);
  double predict(const step_input& input);
  double sigreg(const step_input& input);
  void add_sigreg_gradient(const step_input& input);
  void predictor_backward();
  void embedding_backward(const step_input& input);
};

training_pass::training_pass(const model_architecture& arch, std::uint64_t max_positions,
                             const matmul_kernels& products, bool recompute, team& workers,
                             const kernel_set& kernel)
    : implementation_(std::make_unique<implementation>(arch, max_positions, products, recompute,
                                                       workers, kernel)) {}
training_pass::~training_pass() = default;

void training_pass::implementation::begin(const float* from, const step_input& input) {
  sequences = static_cast<std::size_t>(input.sequences);
  length = static_cast<std::size_t>(input.length);
  positions = sequences * length;
  tiles = (positions + tile - 1) / tile;
  SOMA_ASSERT(tiles <= tile_losses.size(), "the pass has room for the positions of the step");
  SOMA_ASSERT(input.ids.size() == positions && input.targets.size() == positions,
              "a step has a token and a target for each position");
  parameters = from;
}

void training_pass::implementation::embed(const step_input& input) {
  const float* const table = parameters + offsets.embedding;
  in_tiles([&](std::size_t first, std::size_t n, float*) {
    for (std::size_t i = first; i < first + n; ++i) {
      std::memcpy(x[0].data() + i * d, table + static_cast<std::size_t>(input.ids[i]) * d,
                  d * sizeof(float));
    }
  });
}

/// Leaves the representation (the final norm's result) in `normalized`, d_logits, and in d_attended
/// the gradient of the cross-entropy with respect to the representation. Returns the mean
/// cross-entropy.
double training_pass::implementation::predict(const step_input& input) {
  job_list packing;
  add_packing(packing, predictor, offsets.predictor, true, true);
  run(packing);
  const auto with_target =
      std::count_if(input.targets.begin(), input.targets.end(),
                    [](std::int64_t target) { return target != tokens::pad_token; });
  const float scale = 1.0f / static_cast<float>(with_target);
  in_tiles([&](std::size_t first, std::size_t n, float* spare) {
    float* const y = normalized.data() + first * d;
    float* const logits = d_logits.data() + first * vocab;
    kernel.layer_norm(x[layers].data() + first * d, n, d, weight(offsets.final_norm),
                      bias(offsets.final_norm), y);
    apply(y, n, predictor, bias(offsets.predictor), logits, vocab, false, spare);
    std::array<std::int32_t, tile> targets;
    for (std::size_t i = 0; i < n; ++i) {
      const std::int64_t target = input.targets[first + i];
      targets[i] = target == tokens::pad_token ? -1 : static_cast<std::int32_t>(target);
    }
    tile_losses[first / tile] =
        kernel.softmax_cross_entropy(logits, vocab, n, vocab, targets.data(), scale);
    apply_transposed(logits, vocab, n, predictor, d_attended.data() + first * d, false, spare);
  });
  double loss = 0;
  for (std::size_t t = 0; t < tiles; ++t) loss += tile_losses[t];
  return loss / static_cast<double>(with_target);
}

/// Returns the mean of SIGReg's statistic over the drawn positions, and leaves in d_sigreg the
/// gradient of its part of the loss.
double training_pass::implementation::sigreg(const step_input& input) {
  const std::size_t drawn = input.sigreg_positions.size();
  constexpr auto slices = static_cast<std::size_t>(sigreg_slices);
  SOMA_ASSERT(input.sigreg_noise.size() == d * slices, "there is noise for every direction");
  const quadrature q = make_quadrature(sigreg_points);
  const std::size_t multiples = q.t.size() - 1;
  const std::vector<float> directions = unit_columns(input.sigreg_noise, d, slices);
  const matmul_kernels& by = kernel.products;  // always binary32, because it is little work
  const float_buffer packed(by.packed_size(d, slices));
  const float_buffer packed_transposed(by.packed_size(slices, d));
  by.pack(directions.data(), slices, 1, d, slices, packed.data());
  by.pack(directions.data(), 1, slices, slices, d, packed_transposed.data());
  d_sigreg = float_buffer(drawn * d);
  std::vector<double> statistics(drawn);
  const std::size_t blocks = (drawn + tile - 1) / tile;
  const float_buffer work(workers.size() * tile * (d + 3 * slices));
  const auto scale = static_cast<float>(sigreg_coefficient * static_cast<double>(slices) /
                                        static_cast<double>(drawn)) *
                     q.t[1];
  workers.run(blocks, [&](std::size_t block, std::size_t worker) {
    const std::size_t first = block * tile;
    const std::size_t n = std::min(tile, drawn - first);
    float* const y = work.data() + worker * tile * (d + 3 * slices);
    float* const angle = y + tile * d;
    float* const cosine = angle + tile * slices;
    float* const sine = cosine + tile * slices;
    for (std::size_t i = 0; i < n; ++i) {
      const auto position = static_cast<std::size_t>(input.sigreg_positions[first + i]);
      std::memcpy(y + i * d, normalized.data() + position * d, d * sizeof(float));
    }
    by.matmul(y, d, packed.data(), n, d, slices, angle, slices, false, nullptr,
              scratch[worker].data());
    for (std::size_t i = 0; i < n * slices; ++i) {
      cosine[i] = std::cos(angle[i] * q.t[1]);
      sine[i] = std::sin(angle[i] * q.t[1]);
    }
    for (std::size_t i = 0; i < n; ++i) {
      float* const d_angle = angle + i * slices;
      statistics[first + i] = kernel.sigreg(cosine + i * slices, sine + i * slices, slices,
                                            multiples, q.phi.data(), q.weight.data(), d_angle);
      for (std::size_t j = 0; j < slices; ++j) d_angle[j] *= scale;
    }
    by.matmul(angle, slices, packed_transposed.data(), n, slices, d, d_sigreg.data() + first * d, d,
              false, nullptr, scratch[worker].data());
  });
  double total = 0;
  for (const double statistic : statistics) total += statistic;
  return total * static_cast<double>(slices) / static_cast<double>(drawn);
}

void training_pass::implementation::add_sigreg_gradient(const step_input& input) {
  for (std::size_t i = 0; i < input.sigreg_positions.size(); ++i) {
    float* const to = d_attended.data() + static_cast<std::size_t>(input.sigreg_positions[i]) * d;
    for (std::size_t j = 0; j < d; ++j) to[j] += d_sigreg.data()[i * d + j];
  }
}

/// Computes d_x from the gradient of the representation, which stands in d_attended, through the
/// final norm. Writes the gradients of the predictor and of the final norm.
void training_pass::implementation::predictor_backward() {
  // the offset in a tile's row of sums: first the bias [V], then the norm [2D]
  const std::size_t norm = vocab;
  in_tiles([&](std::size_t first, std::size_t n, float*) {
    float* const to = sums_of(first);
    std::fill_n(to, vocab + 2 * d, 0.0f);
    kernel.layer_norm_backward(x[layers].data() + first * d, d_attended.data() + first * d, n, d,
                               weight(offsets.final_norm), nullptr, d_x.data() + first * d,
                               {to + norm, to + norm + d});
    kernel.add_column_sums(d_logits.data() + first * vocab, vocab, n, vocab, to);
  });
  job_list work;
  add_weight_gradient(work, normalized.data(), d, d_logits.data(), vocab, vocab,
                      offsets.predictor.weight);
  add_tile_sums(work, 0, vocab, offsets.predictor.bias);
  add_tile_sums(work, norm, d, offsets.final_norm.weight);
  add_tile_sums(work, norm + d, d, offsets.final_norm.bias);
  run(work);
}

void training_pass::implementation::embedding_backward(const step_input& input) {
  float* const d_table = gradients + offsets.embedding;
  job_list work;
  for (std::size_t column = 0; column < d; column += tile) {
    work.push_back([this, &input, d_table, column](float*) {
      const std::size_t n = std::min(tile, d - column);
      for (std::size_t v = 0; v < vocab; ++v) std::fill_n(d_table + v * d + column, n, 0.0f);
      for (std::size_t i = 0; i < positions; ++i) {
        kernel.add_column_sums(d_x.data() + i * d + column, d, 1, n,
                               d_table + static_cast<std::size_t>(input.ids[i]) * d + column);
      }
    });
  }
  run(work);
}

step_loss training_pass::forward(const float* parameters, const step_input& input) {
  implementation& s = *implementation_;
  s.begin(parameters, input);
  s.embed(input);
  for (std::size_t l = 0; l < s.layers; ++l) layer_forward(s, l);
  step_loss loss;
  loss.cross_entropy = loss.total = s.predict(input);
  if (!input.sigreg_positions.empty()) loss.total += s.sigreg(input) * sigreg_coefficient;
  return loss;
}

void training_pass::backward(const float* parameters, const step_input& input, float* gradients) {
  implementation& s = *implementation_;
  SOMA_ASSERT(s.parameters == parameters && s.positions == input.ids.size(),
              "backward follows the forward of the same step");
  s.gradients = gradients;
  s.add_sigreg_gradient(input);
  s.predictor_backward();
  for (std::size_t l = s.layers; l-- > 0;) layer_backward(s, l);
  s.embedding_backward(input);
}

}  // namespace soma::training
