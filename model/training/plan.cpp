#include "model/training/plan.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>

#include "messages/crypto/hash.hpp"
#include "messages/values/assert.hpp"
#include "messages/values/splitmix64.hpp"
#include "model/tokens/tokens.hpp"
#include "model/training/kernels.hpp"
#include "model/training/sigreg.hpp"

namespace soma::training {
namespace {

bool are_sensible(const trainer_options& o) {
  return o.steps >= 1 && o.batch >= 1 && o.threads >= 1 && o.learning_rate > 0 && o.floor >= 0 &&
         o.floor <= 1 && o.weight_decay >= 0 && o.gradient_clip > 0 && o.short_share >= 0 &&
         o.short_share <= 1;
}

/// The seed of a step's own random stream. Each step has its own, so a resumed run needs only the
/// number of its step.
std::uint64_t stream_of(std::uint64_t seed, std::uint64_t step) {
  return splitmix64::first(seed + step * splitmix64::increment);
}

}  // namespace

expected<training_plan, train_refusal> make_plan(std::vector<bytes> data, trainer_options options) {
  if (!are_sensible(options)) return make_unexpected(train_refusal::bad_options);
  std::erase_if(data, [](const bytes& part) { return part.empty(); });
  if (data.empty()) return make_unexpected(train_refusal::no_data);
  if (options.precision == train_precision::bf16 && bf16_products() == nullptr) {
    return make_unexpected(train_refusal::precision_unsupported);
  }
  return training_plan{std::move(options), {}, std::move(data)};
}

hash256 training_plan::fingerprint() const {
  const trainer_options& o = options;
  crypto::tagged_hash hash("soma.training");
  hash.add_u64(o.steps).add_u32(o.batch).add_u32(o.window).add_u64(o.warmup_steps);
  hash.add_u32(o.sigreg_positions).add_u64(o.seed);
  for (const float number :
       {o.short_share, o.learning_rate, o.floor, o.weight_decay, o.gradient_clip}) {
    hash.add_u32(std::bit_cast<std::uint32_t>(number));
  }
  if (o.precision != train_precision::f32) hash.add_u32(static_cast<std::uint32_t>(o.precision));
  for (const auto& part : data) hash.add_u64(part.size()).add(part);
  return hash.finish();
}

std::int64_t training_plan::length_at(std::uint64_t step) const {
  const std::int64_t longest =
      options.window == 0 ? architecture.max_seq : std::min(options.window, architecture.max_seq);
  const bool is_short =
      static_cast<double>(step) < options.short_share * static_cast<double>(options.steps);
  return is_short && longest >= 64 ? longest / 4 : longest;
}

std::uint64_t training_plan::max_positions() const {
  return std::uint64_t{options.batch} * static_cast<std::uint64_t>(length_at(options.steps));
}

void training_plan::draw_windows(noise::noise_generator& noise, step_input& drawn) const {
  std::uint64_t total = 0;
  for (const auto& part : data) total += part.size();
  auto* ids = drawn.ids.data();
  auto* targets = drawn.targets.data();
  for (std::int64_t row = 0; row < drawn.sequences;
       ++row, ids += drawn.length, targets += drawn.length) {
    std::uint64_t start = noise.below(total);
    std::size_t buffer = 0;
    while (start >= data[buffer].size()) start -= data[buffer++].size();
    const auto& part = data[buffer];
    // Of the windows that would reach over the end of their buffer, one in eight stays, so that
    // training sees the end of data. The others are moved back until they are full.
    const auto full = static_cast<std::uint64_t>(drawn.length) + 1;
    if (part.size() >= full && start > part.size() - full && noise.below(8) != 0) {
      start = part.size() - full;
    }
    for (std::int64_t j = 0; j <= drawn.length; ++j) {
      const std::uint64_t at = start + static_cast<std::uint64_t>(j);
      if (at > part.size()) break;
      const std::int64_t value = at < part.size() ? part[at] : tokens::eos_token;
      if (j < drawn.length) ids[j] = value;
      if (j > 0) targets[j - 1] = value;
    }
  }
}

step_input training_plan::draw(std::uint64_t step) const {
  SOMA_ASSERT(step < options.steps && is_valid(architecture), "a step of a run over a network");
  noise::noise_generator noise(stream_of(options.seed, step));
  step_input drawn;
  drawn.length = length_at(step);
  drawn.sequences =
      static_cast<std::int64_t>(options.batch) * length_at(options.steps) / drawn.length;
  const std::int64_t count = drawn.sequences * drawn.length;
  drawn.ids.assign(static_cast<std::size_t>(count), tokens::pad_token);
  drawn.targets = drawn.ids;
  draw_windows(noise, drawn);
  if (options.sigreg_positions == 0) return drawn;
  // Every position is as likely as any other, so the expected value is the mean over all of them.
  const auto most = static_cast<std::size_t>(count);
  drawn.sigreg_positions.resize(std::min<std::size_t>(options.sigreg_positions, most));
  for (auto& position : drawn.sigreg_positions)
    position = static_cast<std::int64_t>(noise.below(most));
  drawn.sigreg_noise.resize(std::size_t{architecture.dim} * sigreg_slices);
  for (auto& value : drawn.sigreg_noise) value = static_cast<float>(noise.normal());
  return drawn;
}

double training_plan::learning_rate_at(std::uint64_t step) const {
  const auto at = static_cast<double>(step);
  const auto warmup = static_cast<double>(std::min(options.warmup_steps, options.steps / 2));
  const double peak = options.learning_rate;
  if (at < warmup) return peak * (at + 1) / warmup;
  const double part = (at - warmup) / std::max(1.0, static_cast<double>(options.steps) - warmup);
  return peak *
         (options.floor + (1 - options.floor) * 0.5 * (1 + std::cos(std::numbers::pi * part)));
}

train_progress progress_meter::record(std::uint64_t done, const training_plan& plan,
                                      const step_input& input, double loss, double cross_entropy,
                                      double seconds) {
  const double bits = cross_entropy / std::numbers::ln2;
  smoothed_bits_ = bytes_ == 0 ? bits : smoothed_bits_ + (bits - smoothed_bits_) / 20;
  bytes_ += input.ids.size();
  seconds_ += seconds;
  return {done, plan.options.steps, static_cast<float>(loss), static_cast<float>(smoothed_bits_),
          seconds_ > 0 ? static_cast<double>(bytes_) / seconds_ : 0};
}

}  // namespace soma::training
