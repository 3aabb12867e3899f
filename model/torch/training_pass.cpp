#include "model/torch/training_pass.hpp"

#include <array>
#include <cmath>
#include <cstring>

#include "messages/types/assert.hpp"
#include "model/tokens/tokens.hpp"
#include "model/torch/training_layers.hpp"
#include "model/torch/training_state.hpp"

namespace soma::model::twin {

std::uint64_t kept_bytes(const model_architecture& arch, std::uint64_t positions) {
  return 4 * positions * arch.layers * (6ull * arch.dim + arch.ffn + arch.heads);
}

namespace {

/// Columns of [d][k] divided by their lengths.
std::vector<float> unit_columns(const std::vector<float>& noise, std::size_t d, std::size_t k) {
  std::vector<double> squares(k);
  for (std::size_t i = 0; i < d * k; ++i) squares[i % k] += double{noise[i]} * noise[i];
  std::vector<float> unit(noise);
  for (std::size_t i = 0; i < d * k; ++i) unit[i] /= static_cast<float>(std::sqrt(squares[i % k]));
  return unit;
}

}  // namespace

struct training_pass::inside : training_state {
  using training_state::training_state;

  float_buffer sigreg_pull;  // [sigreg rows, D]

  void begin(const float* from, const step_input& input);
  void embed(const step_input& input);
  double predict(const step_input& input);
  double sigreg(const step_input& input);
  void add_sigreg_pull(const step_input& input);
  void predictor_backward();
  void embedding_backward(const step_input& input);
};

training_pass::training_pass(const model_architecture& arch, std::uint64_t positions,
                             const product_set& products, bool recompute, team& workers,
                             const kernel_set& kernel)
    : inside_(std::make_unique<inside>(arch, positions, products, recompute, workers, kernel)) {}
training_pass::~training_pass() = default;

void training_pass::inside::begin(const float* from, const step_input& input) {
  rows = static_cast<std::size_t>(input.rows);
  slots = static_cast<std::size_t>(input.slots);
  count = rows * slots;
  tiles = (count + tile - 1) / tile;
  SOMA_ASSERT(tiles <= tile_losses.size() && input.ids.size() == count,
              "a step has no more positions than the pass has room for");
  parameters = from;
}

void training_pass::inside::embed(const step_input& input) {
  const float* const table = parameters + place.embedding;
  in_tiles([&](std::size_t first, std::size_t n, float*) {
    for (std::size_t i = first; i < first + n; ++i) {
      std::memcpy(x[0].get() + i * d, table + static_cast<std::size_t>(input.ids[i]) * d,
                  d * sizeof(float));
    }
  });
}

/// normed: the representation; logits_pull; aside: the pull of the cross-entropy on the
/// representation. Returns the mean cross-entropy.
double training_pass::inside::predict(const step_input& input) {
  pieces packing;
  add_packing(packing, predictor, place.predictor, true, true);
  run(packing);
  const auto wanted = std::count_if(input.targets.begin(), input.targets.end(),
                                    [](std::int64_t target) { return target != pad_token; });
  const float scale = 1.0f / static_cast<float>(wanted);
  in_tiles([&](std::size_t first, std::size_t n, float* spare) {
    float* const y = normed.get() + first * d;
    float* const logits = logits_pull.get() + first * vocab;
    kernel.layer_norm(x[layers].get() + first * d, n, d, weight(place.final_norm),
                      bias(place.final_norm), y);
    apply(y, n, predictor, bias(place.predictor), logits, vocab, false, spare);
    std::array<std::int32_t, tile> targets;
    for (std::size_t i = 0; i < n; ++i) {
      const std::int64_t target = input.targets[first + i];
      targets[i] = target == pad_token ? -1 : static_cast<std::int32_t>(target);
    }
    tile_losses[first / tile] =
        kernel.cross_entropy(logits, vocab, n, vocab, targets.data(), scale);
    apply_across(logits, vocab, n, predictor, aside.get() + first * d, false, spare);
  });
  double loss = 0;
  for (std::size_t t = 0; t < tiles; ++t) loss += tile_losses[t];
  return loss / static_cast<double>(wanted);
}

/// The mean of SIGReg's statistic over the drawn positions, and sigreg_pull, that of the loss.
double training_pass::inside::sigreg(const step_input& input) {
  const std::size_t chosen = input.sigreg_rows.size();
  constexpr auto slices = static_cast<std::size_t>(sigreg_slices);
  const quadrature q = make_quadrature(sigreg_points);
  const std::size_t turns = q.t.size() - 1;
  const std::vector<float> unit = unit_columns(input.sigreg_noise, d, slices);
  const product_set& by = kernel.products;  // binary32 always: it is little work
  const float_buffer own(by.packed_size(d, slices));
  const float_buffer across(by.packed_size(slices, d));
  by.pack(unit.data(), slices, 1, d, slices, own.get());
  by.pack(unit.data(), 1, slices, slices, d, across.get());
  sigreg_pull = float_buffer(chosen * d);
  std::vector<double> statistics(chosen);
  const std::size_t blocks = (chosen + tile - 1) / tile;
  const float_buffer work(workers.size() * tile * (d + 3 * slices));
  const auto scale = static_cast<float>(sigreg_coefficient * static_cast<double>(slices) /
                                        static_cast<double>(chosen)) *
                     q.t[1];
  workers.run(blocks, [&](std::size_t block, std::size_t worker) {
    const std::size_t first = block * tile;
    const std::size_t n = std::min(tile, chosen - first);
    float* const y = work.get() + worker * tile * (d + 3 * slices);
    float* const angle = y + tile * d;
    float* const cosine = angle + tile * slices;
    float* const sine = cosine + tile * slices;
    for (std::size_t i = 0; i < n; ++i) {
      const auto row = static_cast<std::size_t>(input.sigreg_rows[first + i]);
      std::memcpy(y + i * d, normed.get() + row * d, d * sizeof(float));
    }
    by.multiply(y, d, own.get(), n, d, slices, angle, slices, false, nullptr,
                scratch[worker].get());
    for (std::size_t i = 0; i < n * slices; ++i) {
      cosine[i] = std::cos(angle[i] * q.t[1]);
      sine[i] = std::sin(angle[i] * q.t[1]);
    }
    for (std::size_t i = 0; i < n; ++i) {
      float* const slope = angle + i * slices;
      statistics[first + i] = kernel.sigreg(cosine + i * slices, sine + i * slices, slices, turns,
                                            q.phi.data(), q.weight.data(), slope);
      for (std::size_t j = 0; j < slices; ++j) slope[j] *= scale;
    }
    by.multiply(angle, slices, across.get(), n, slices, d, sigreg_pull.get() + first * d, d, false,
                nullptr, scratch[worker].get());
  });
  double total = 0;
  for (const double statistic : statistics) total += statistic;
  return total * static_cast<double>(slices) / static_cast<double>(chosen);
}

void training_pass::inside::add_sigreg_pull(const step_input& input) {
  for (std::size_t i = 0; i < input.sigreg_rows.size(); ++i) {
    float* const to = aside.get() + static_cast<std::size_t>(input.sigreg_rows[i]) * d;
    for (std::size_t j = 0; j < d; ++j) to[j] += sigreg_pull.get()[i * d + j];
  }
}

/// aside -> pull, through the final norm; the gradients of the predictor and the final norm.
void training_pass::inside::predictor_backward() {
  const std::size_t norm = vocab;
  in_tiles([&](std::size_t first, std::size_t n, float*) {
    float* const to = sums_of(first);
    std::fill_n(to, vocab + 2 * d, 0.0f);
    kernel.layer_norm_backward(x[layers].get() + first * d, aside.get() + first * d, n, d,
                               weight(place.final_norm), nullptr, pull.get() + first * d,
                               {to + norm, to + norm + d});
    kernel.add_columns(logits_pull.get() + first * vocab, vocab, n, vocab, to);
  });
  pieces work;
  add_weight_gradient(work, normed.get(), d, logits_pull.get(), vocab, vocab,
                      place.predictor.weight);
  add_sums(work, 0, vocab, place.predictor.bias);
  add_sums(work, norm, d, place.final_norm.weight);
  add_sums(work, norm + d, d, place.final_norm.bias);
  run(work);
}

void training_pass::inside::embedding_backward(const step_input& input) {
  float* const table = gradients + place.embedding;
  pieces work;
  for (std::size_t column = 0; column < d; column += tile) {
    work.push_back([this, &input, table, column](float*) {
      const std::size_t n = std::min(tile, d - column);
      for (std::size_t v = 0; v < vocab; ++v) std::fill_n(table + v * d + column, n, 0.0f);
      for (std::size_t i = 0; i < count; ++i) {
        kernel.add_columns(pull.get() + i * d + column, d, 1, n,
                           table + static_cast<std::size_t>(input.ids[i]) * d + column);
      }
    });
  }
  run(work);
}

step_loss training_pass::forward(const float* parameters, const step_input& input) {
  inside& s = *inside_;
  s.begin(parameters, input);
  s.embed(input);
  for (std::size_t l = 0; l < s.layers; ++l) layer_forward(s, l);
  step_loss loss;
  loss.cross_entropy = loss.total = s.predict(input);
  if (!input.sigreg_rows.empty()) loss.total += s.sigreg(input) * sigreg_coefficient;
  return loss;
}

void training_pass::backward(const float* parameters, const step_input& input, float* gradients) {
  inside& s = *inside_;
  s.parameters = parameters;
  s.gradients = gradients;
  s.add_sigreg_pull(input);
  s.predictor_backward();
  for (std::size_t l = s.layers; l-- > 0;) layer_backward(s, l);
  s.embedding_backward(input);
}

}  // namespace soma::model::twin
