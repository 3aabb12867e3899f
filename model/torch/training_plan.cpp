#include "model/torch/training_plan.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>

#include "messages/crypto/hash.hpp"
#include "model/tokens/tokens.hpp"
#include "model/torch/kernels.hpp"
#include "model/torch/network.hpp"

namespace soma::model::twin {
namespace {

bool make_sense(const trainer_options& o) {
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

expected<training_plan, train_refusal> make_plan(std::vector<bytes> data, trainer_options options) {
  if (!make_sense(options)) return make_unexpected(train_refusal::bad_options);
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

std::int64_t training_plan::slots_at(std::uint64_t step) const {
  const std::int64_t longest =
      options.window == 0 ? architecture.max_seq : std::min(options.window, architecture.max_seq);
  const bool is_short =
      static_cast<double>(step) < options.short_share * static_cast<double>(options.steps);
  return is_short && longest >= 64 ? longest / 4 : longest;
}

std::uint64_t training_plan::positions() const {
  return std::uint64_t{options.batch} * static_cast<std::uint64_t>(slots_at(options.steps));
}

void training_plan::draw_windows(noise_generator& noise, step_input& drawn) const {
  std::uint64_t total = 0;
  for (const auto& part : data) total += part.size();
  auto* ids = drawn.ids.data();
  auto* targets = drawn.targets.data();
  for (std::int64_t row = 0; row < drawn.rows; ++row, ids += drawn.slots, targets += drawn.slots) {
    std::uint64_t place = noise.below(total);
    std::size_t which = 0;
    while (place >= data[which].size()) place -= data[which++].size();
    const auto& part = data[which];
    // Most windows that would run over the end are moved back to be full; one in eight is left to
    // meet the end.
    const auto full = static_cast<std::uint64_t>(drawn.slots) + 1;
    if (part.size() >= full && place > part.size() - full && noise.below(8) != 0)
      place = part.size() - full;
    for (std::int64_t j = 0; j <= drawn.slots; ++j) {
      const std::uint64_t at = place + static_cast<std::uint64_t>(j);
      if (at > part.size()) break;
      const std::int64_t value = at < part.size() ? part[at] : eos_token;
      if (j < drawn.slots) ids[j] = value;
      if (j > 0) targets[j - 1] = value;
    }
  }
}

step_input training_plan::draw(std::uint64_t step) const {
  noise_generator noise(stream_of(options.seed, step));
  step_input drawn;
  drawn.slots = slots_at(step);
  drawn.rows = static_cast<std::int64_t>(options.batch) * slots_at(options.steps) / drawn.slots;
  const std::int64_t count = drawn.rows * drawn.slots;
  drawn.ids.assign(static_cast<std::size_t>(count), pad_token);
  drawn.targets = drawn.ids;
  draw_windows(noise, drawn);
  if (options.sigreg_positions == 0) return drawn;
  // Every position is as likely as any other, so the expectation is that of the mean over all.
  const auto most = static_cast<std::size_t>(count);
  drawn.sigreg_rows.resize(std::min<std::size_t>(options.sigreg_positions, most));
  for (auto& row : drawn.sigreg_rows) row = static_cast<std::int64_t>(noise.below(most));
  drawn.sigreg_noise.resize(std::size_t{architecture.dim} * sigreg_slices);
  for (auto& value : drawn.sigreg_noise) value = static_cast<float>(noise.normal());
  return drawn;
}

double training_plan::rate_at(std::uint64_t step) const {
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

}  // namespace soma::model::twin
