#include "actors/rules/difficulty.hpp"

#include <algorithm>

#include "actors/rules/arithmetic.hpp"

namespace soma::rules {

std::uint64_t sigma_q30(std::uint32_t dim) {
  return integer_sqrt((std::uint64_t{1} << 60) / dim);
}

std::uint32_t radius_q30(std::int64_t difficulty_ppm, std::uint32_t dim) {
  const wide_int away =
      floor_div(static_cast<wide_int>(difficulty_ppm) * sigma_q30(dim), millionths);
  const wide_int radius = static_cast<wide_int>(distance_one_q30) - away;
  return static_cast<std::uint32_t>(std::clamp<wide_int>(radius, min_radius_q30, max_radius_q30));
}

std::uint64_t next_hits_ema(std::uint64_t ema_milli, std::uint64_t hits, std::uint32_t decay_bps) {
  const wide_uint next = (static_cast<wide_uint>(ema_milli) * decay_bps +
                          static_cast<wide_uint>(hits) * 1'000 * (basis_points - decay_bps)) /
                         basis_points;
  return static_cast<std::uint64_t>(std::min<wide_uint>(next, UINT64_MAX));
}

std::int64_t next_difficulty(std::int64_t difficulty_ppm, std::uint64_t ema_milli,
                             std::uint64_t hits_wanted, std::uint32_t dim) {
  const wide_uint wanted_milli = static_cast<wide_uint>(hits_wanted) * 1'000;
  const wide_int z = difficulty_ppm;
  const wide_int step = std::max<wide_int>((z < 0 ? -z : z) / 10, 100'000);
  const wide_int moved = ema_milli > wanted_milli   ? z + step
                         : ema_milli < wanted_milli ? z - step
                                                    : z;
  const wide_int sigma = sigma_q30(dim);
  const wide_int hardest =
      (static_cast<wide_int>(distance_one_q30) - min_radius_q30) * millionths / sigma;
  const wide_int easiest = -(static_cast<wide_int>(max_radius_q30) - distance_one_q30) *
                           static_cast<wide_int>(millionths) / sigma;
  return static_cast<std::int64_t>(std::clamp(moved, easiest, hardest));
}

}  // namespace soma::rules
