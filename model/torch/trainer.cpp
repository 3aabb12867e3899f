#include "model/torch/trainer.hpp"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <map>
#include <numbers>

#include "messages/crypto/hash.hpp"
#include "messages/types/assert.hpp"
#include "model/noise/noise.hpp"
#include "model/tokens/tokens.hpp"
#include "model/torch/boundary.hpp"
#include "model/torch/checkpoint.hpp"
#include "model/torch/fused_network.hpp"
#include "model/torch/network.hpp"
#include "model/torch/threads.hpp"

namespace soma::model {
namespace {

using at::Tensor;
using namespace twin;

/// Windows of one step.
struct windows {
  Tensor ids;      // [N, S]
  Tensor targets;  // [N * S], PAD where there is nothing to predict
};

/// What a run is: continuing it with anything else would be another run.
hash256 fingerprint_of(const trainer_options& o, const std::vector<bytes>& data) {
  crypto::tagged_hash hash("soma.training");
  hash.add_u64(o.steps).add_u32(o.batch).add_u32(o.window).add_u64(o.warmup_steps);
  hash.add_u32(o.sigreg_positions).add_u64(o.seed);
  for (const float number :
       {o.short_share, o.learning_rate, o.floor, o.weight_decay, o.gradient_clip}) {
    hash.add_u32(std::bit_cast<std::uint32_t>(number));
  }
  for (const auto& part : data) hash.add_u64(part.size()).add(part);
  return hash.finish();
}

bool options_make_sense(const trainer_options& o) {
  return o.steps >= 1 && o.batch >= 1 && o.learning_rate > 0 && o.floor >= 0 && o.floor <= 1 &&
         o.weight_decay >= 0 && o.gradient_clip > 0 && o.short_share >= 0 && o.short_share <= 1;
}

/// A stream of its own for each step, so that a resumed run needs nothing but the step's number.
std::uint64_t stream_of(std::uint64_t seed, std::uint64_t step) {
  std::uint64_t z = seed + (step + 1) * 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

}  // namespace

struct trainer::state {
  trainer_options options;
  std::vector<bytes> data;
  checkpoint now;                // parameters live in here, the tensors of the network are views
  std::vector<float> gradients;  // same order
  std::vector<bool> decays;      // a tensor of two dimensions
  std::vector<std::size_t> tensor_ends;
  network net;
  double smoothed_bits = 0;
  std::uint64_t trained_bytes = 0;
  double seconds = 0;

  void bind();
  [[nodiscard]] std::int64_t slots_at(std::uint64_t step) const;
  [[nodiscard]] windows draw(noise_generator& noise, std::int64_t rows, std::int64_t slots) const;
  [[nodiscard]] double rate_at(std::uint64_t step) const;
  void update(double rate, double scale);
  [[nodiscard]] double gradient_norm() const;
  [[nodiscard]] Tensor sigreg_of_some(const Tensor& y, noise_generator& noise) const;
  expected<train_progress, train_refusal> step();
};

/// Makes the network's tensors views of the flat parameters, and their gradients views of the flat
/// gradients.
void trainer::state::bind() {
  gradients.assign(now.parameters.size(), 0.0f);
  std::map<std::string, Tensor> tensors;
  std::size_t offset = 0;
  for (const auto& spec : tensor_table(now.architecture)) {
    const std::vector<std::int64_t> shape(spec.shape.begin(), spec.shape.end());
    Tensor leaf = at::from_blob(now.parameters.data() + offset, shape, at::kFloat);
    leaf.requires_grad_(true);
    leaf.mutable_grad() = at::from_blob(gradients.data() + offset, shape, at::kFloat);
    tensors.emplace(spec.name, leaf);
    offset += spec.elements();
    tensor_ends.push_back(offset);
    decays.push_back(shape.size() == 2);
  }
  net = make_network(now.architecture.layers, now.architecture.heads,
                     [&](const std::string& name) { return tensors.at(name); });
}

std::int64_t trainer::state::slots_at(std::uint64_t step) const {
  const std::int64_t longest = options.window == 0
                                   ? now.architecture.max_seq
                                   : std::min(options.window, now.architecture.max_seq);
  const bool is_short =
      static_cast<double>(step) < options.short_share * static_cast<double>(options.steps);
  return is_short && longest >= 64 ? longest / 4 : longest;
}

windows trainer::state::draw(noise_generator& noise, std::int64_t rows, std::int64_t slots) const {
  windows drawn{at::full({rows, slots}, pad_token, at::kLong),
                at::full({rows * slots}, pad_token, at::kLong)};
  std::uint64_t total = 0;
  for (const auto& part : data) total += part.size();
  auto* ids = drawn.ids.data_ptr<std::int64_t>();
  auto* targets = drawn.targets.data_ptr<std::int64_t>();
  for (std::int64_t row = 0; row < rows; ++row, ids += slots, targets += slots) {
    std::uint64_t place = noise.below(total);
    std::size_t which = 0;
    while (place >= data[which].size()) place -= data[which++].size();
    const auto& part = data[which];
    // Most windows that would run over the end are moved back to be full; one in eight is left to
    // meet the end.
    const auto full = static_cast<std::uint64_t>(slots) + 1;
    if (part.size() >= full && place > part.size() - full && noise.below(8) != 0)
      place = part.size() - full;
    for (std::int64_t j = 0; j <= slots; ++j) {
      const std::uint64_t at = place + static_cast<std::uint64_t>(j);
      if (at > part.size()) break;
      const std::int64_t value = at < part.size() ? part[at] : eos_token;
      if (j < slots) ids[j] = value;
      if (j > 0) targets[j - 1] = value;
    }
  }
  return drawn;
}

double trainer::state::rate_at(std::uint64_t step) const {
  const auto at = static_cast<double>(step);
  const auto warmup = static_cast<double>(std::min(options.warmup_steps, options.steps / 2));
  const double peak = options.learning_rate;
  if (at < warmup) return peak * (at + 1) / warmup;
  const double part = (at - warmup) / std::max(1.0, static_cast<double>(options.steps) - warmup);
  return peak *
         (options.floor + (1 - options.floor) * 0.5 * (1 + std::cos(std::numbers::pi * part)));
}

double trainer::state::gradient_norm() const {
  double squares = 0;
  for (const float g : gradients) squares += static_cast<double>(g) * g;
  return std::sqrt(squares);
}

/// AdamW with betas 0.9 and 0.95; gradients are multiplied by `scale` first.
void trainer::state::update(double rate, double scale) {
  constexpr float beta_1 = 0.9f;
  constexpr float beta_2 = 0.95f;
  const auto count = static_cast<double>(now.step + 1);
  const auto step_size = static_cast<float>(rate / (1 - std::pow(0.9, count)));
  const auto correction = static_cast<float>(1 / (1 - std::pow(0.95, count)));
  const auto factor = static_cast<float>(scale);
  float* const p = now.parameters.data();
  float* const m = now.first_moments.data();
  float* const v = now.second_moments.data();
  std::size_t i = 0;
  for (std::size_t t = 0; t < tensor_ends.size(); ++t) {
    const float keep = 1.0f - static_cast<float>(rate) * (decays[t] ? options.weight_decay : 0.0f);
    for (; i < tensor_ends[t]; ++i) {
      const float g = gradients[i] * factor;
      m[i] = beta_1 * m[i] + (1 - beta_1) * g;
      v[i] = beta_2 * v[i] + (1 - beta_2) * g * g;
      p[i] = p[i] * keep - step_size * m[i] / (std::sqrt(v[i] * correction) + 1e-8f);
    }
  }
}

/// Every position is as likely as any other, so the expectation is that of the mean over all.
Tensor trainer::state::sigreg_of_some(const Tensor& y, noise_generator& noise) const {
  const std::int64_t count = std::min<std::int64_t>(options.sigreg_positions, y.size(0));
  Tensor rows = at::empty({count}, at::kLong);
  auto* row = rows.data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < count; ++i) {
    row[i] = static_cast<std::int64_t>(noise.below(static_cast<std::uint64_t>(y.size(0))));
  }
  Tensor columns = at::empty({y.size(1), sigreg_slices}, at::kFloat);
  float* value = columns.data_ptr<float>();
  for (std::int64_t i = 0; i < columns.numel(); ++i) value[i] = static_cast<float>(noise.normal());
  return sigreg_mean(y.index_select(0, rows), directions(columns));
}

expected<train_progress, train_refusal> trainer::state::step() {
  // Time is only reported; nothing is decided by it.
  const auto began = std::chrono::steady_clock::now();
  noise_generator noise(stream_of(options.seed, now.step));
  const std::int64_t slots = slots_at(now.step);
  const std::int64_t longest = slots_at(options.steps);
  const std::int64_t rows = std::int64_t{options.batch} * longest / slots;
  const windows drawn = draw(noise, rows, slots);
  std::vector<std::uint32_t> positions(static_cast<std::size_t>(slots));
  for (std::size_t j = 0; j < positions.size(); ++j) positions[j] = static_cast<std::uint32_t>(j);

  std::fill(gradients.begin(), gradients.end(), 0.0f);
  const at::AutoGradMode recording(true);
  const auto width = static_cast<std::int64_t>(now.architecture.dim / now.architecture.heads);
  const Tensor y = represent_fused(drawn.ids, net, make_rotary(positions, 1, width));
  const Tensor log_p = at::log_softmax(linear(y, net.predictor), -1);
  const Tensor cross_entropy =
      at::nll_loss(log_p, drawn.targets, {}, at::Reduction::Mean, pad_token);
  Tensor loss = cross_entropy;
  if (options.sigreg_positions > 0) loss = loss + sigreg_of_some(y, noise) * sigreg_coefficient;
  const auto value = loss.item<float>();
  if (!std::isfinite(value)) return make_unexpected(train_refusal::diverged);
  loss.backward();
  const double norm = gradient_norm();
  if (!std::isfinite(norm)) return make_unexpected(train_refusal::diverged);
  update(rate_at(now.step), norm > options.gradient_clip ? options.gradient_clip / norm : 1.0);
  ++now.step;

  const double bits = cross_entropy.item<float>() / std::numbers::ln2;
  smoothed_bits = trained_bytes == 0 ? bits : smoothed_bits + (bits - smoothed_bits) / 20;
  trained_bytes += static_cast<std::uint64_t>(rows * slots);
  seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  return train_progress{now.step, options.steps, value, static_cast<float>(smoothed_bits),
                        seconds > 0 ? static_cast<double>(trained_bytes) / seconds : 0};
}

trainer::trainer(std::unique_ptr<state> inside) : state_(std::move(inside)) {}
trainer::trainer(trainer&&) noexcept = default;
trainer& trainer::operator=(trainer&&) noexcept = default;
trainer::~trainer() = default;

expected<trainer, train_refusal> trainer::start(const weights& from, std::vector<bytes> data,
                                                trainer_options options) {
  if (!options_make_sense(options)) return make_unexpected(train_refusal::bad_options);
  std::erase_if(data, [](const bytes& part) { return part.empty(); });
  if (data.empty()) return make_unexpected(train_refusal::no_data);
  return at_boundary([&] {
    configure_threads_by_default();
    auto inside = std::make_unique<state>();
    inside->now.fingerprint = fingerprint_of(options, data);
    inside->now.architecture = from.architecture();
    for (const auto& spec : tensor_table(from.architecture())) {
      const auto values = from.tensor(spec.name);
      inside->now.parameters.insert(inside->now.parameters.end(), values.begin(), values.end());
    }
    inside->now.first_moments.assign(inside->now.parameters.size(), 0.0f);
    inside->now.second_moments = inside->now.first_moments;
    inside->options = std::move(options);
    inside->data = std::move(data);
    inside->bind();
    return trainer(std::move(inside));
  });
}

expected<trainer, train_refusal> trainer::resume(const std::filesystem::path& from,
                                                 std::vector<bytes> data, trainer_options options) {
  if (!options_make_sense(options)) return make_unexpected(train_refusal::bad_options);
  std::erase_if(data, [](const bytes& part) { return part.empty(); });
  if (data.empty()) return make_unexpected(train_refusal::no_data);
  auto found = read_checkpoint(from);
  if (!found) return make_unexpected(train_refusal::checkpoint_unreadable);
  if (found->fingerprint != fingerprint_of(options, data)) {
    return make_unexpected(train_refusal::checkpoint_of_another_run);
  }
  return at_boundary([&] {
    configure_threads_by_default();
    auto inside = std::make_unique<state>();
    inside->now = std::move(*found);
    inside->options = std::move(options);
    inside->data = std::move(data);
    inside->bind();
    return trainer(std::move(inside));
  });
}

std::uint64_t trainer::steps_done() const {
  return state_->now.step;
}
bool trainer::finished() const {
  return state_->now.step >= state_->options.steps;
}

expected<train_progress, train_refusal> trainer::step() {
  SOMA_ASSERT(!finished(), "a finished run has no next step");
  return at_boundary([&] { return state_->step(); });
}

expected<train_progress, train_refusal> trainer::run(const std::stop_token& stop) {
  const auto& options = state_->options;
  train_progress last{state_->now.step, options.steps, 0, 0, 0};
  while (!finished() && !stop.stop_requested()) {
    const auto progress = step();
    if (!progress) return progress;
    last = *progress;
    if (options.on_progress) options.on_progress(last);
    if (!options.checkpoint.empty() && options.checkpoint_every > 0 &&
        last.step % options.checkpoint_every == 0) {
      save(options.checkpoint);
    }
  }
  if (!options.checkpoint.empty()) save(options.checkpoint);
  return last;
}

weights trainer::snapshot() const {
  return make_weights(state_->now.architecture, state_->now.parameters);
}

void trainer::save(const std::filesystem::path& path) const {
  write_checkpoint(path, state_->now);
}

std::string_view to_text(train_refusal refusal) {
  switch (refusal) {
    case train_refusal::no_data:
      return "there is no data to train on";
    case train_refusal::bad_options:
      return "the training options make no sense: a count is zero or a rate out of range";
    case train_refusal::checkpoint_unreadable:
      return "the checkpoint is missing, damaged or of another version";
    case train_refusal::checkpoint_of_another_run:
      return "the checkpoint belongs to other data or other options";
    case train_refusal::diverged:
      return "training diverged: the loss is not a number; use a lower learning rate";
  }
  return "unknown";
}

}  // namespace soma::model
