#include "actors/rules/difficulty.hpp"

#include <algorithm>

#include "actors/rules/arithmetic.hpp"
#include "actors/rules/emission.hpp"

namespace soma::rules {
namespace {

constexpr std::int64_t large_step_ppm = 300'000;
constexpr std::int64_t small_step_ppm = 100'000;

}  // namespace

std::uint64_t sigma_q30(std::uint32_t dim) {
  return integer_sqrt((std::uint64_t{1} << 60) / dim);
}

std::uint32_t radius_q30(std::int64_t difficulty_ppm, std::uint32_t dim) {
  const wide_int away =
      floor_div(static_cast<wide_int>(difficulty_ppm) * sigma_q30(dim), millionths);
  const wide_int radius = static_cast<wide_int>(distance_one_q30) - away;
  return static_cast<std::uint32_t>(std::clamp<wide_int>(radius, min_radius_q30, max_radius_q30));
}

std::int64_t difficulty_step(std::uint64_t hits, std::uint64_t slices_passed, std::uint64_t slices,
                             std::uint64_t hits_wanted) {
  const auto rate = static_cast<wide_uint>(hits) * slices;
  const auto want = static_cast<wide_uint>(hits_wanted) * slices_passed;
  if (rate > 4 * want) return large_step_ppm;
  if (4 * rate < want) return -large_step_ppm;
  if (8 * rate > 9 * want) return small_step_ppm;
  if (8 * rate < 7 * want) return -small_step_ppm;
  return 0;
}

std::int64_t next_difficulty(std::int64_t difficulty_ppm, std::int64_t step, std::uint32_t dim) {
  const wide_int sigma = sigma_q30(dim);
  const wide_int hardest =
      (static_cast<wide_int>(distance_one_q30) - min_radius_q30) * millionths / sigma;
  const wide_int easiest = -(static_cast<wide_int>(max_radius_q30) - distance_one_q30) *
                           static_cast<wide_int>(millionths) / sigma;
  return static_cast<std::int64_t>(
      std::clamp(static_cast<wide_int>(difficulty_ppm) + step, easiest, hardest));
}

void end_slices(block_run& run, std::uint64_t time_ms, bool targets_stood) {
  const auto& p = run.parameters;
  const auto& chain = run.state.chain();
  const auto slices = slices_of(p);
  const auto elapsed = std::min(time_ms - chain.epoch_start_ms, p.epoch_ms);
  const auto done = share_of(slices, elapsed, p.epoch_ms);
  SOMA_ASSERT(done >= chain.slices_done, "slices end one after the other");
  if (done == chain.slices_done) return;
  const auto step =
      targets_stood || chain.slice_hits > 0
          ? difficulty_step(chain.slice_hits, done - chain.slices_done, slices, p.hits_wanted)
          : 0;
  run.state.update_chain([&](chain_row& c) {
    c.difficulty_ppm = next_difficulty(c.difficulty_ppm, step, p.architecture.dim);
    c.slice_hits = 0;
    c.slices_done = done;
  });
  run.note(event_kind::difficulty_changed).detail =
      static_cast<std::uint64_t>(run.state.chain().difficulty_ppm);
}

}  // namespace soma::rules
