// How far from a target data may lie, and how that follows the number of hits. Protocol §7.
#pragma once

#include "messages/values/genesis.hpp"

namespace soma::rules {

inline constexpr std::uint32_t distance_one_q30 = 1u << 30;
inline constexpr std::uint32_t min_radius_q30 = distance_one_q30 / 10;  // 0.1
inline constexpr std::uint32_t max_radius_q30 = 2u * distance_one_q30;  // 2.0

/// One standard deviation of the distance between random directions: floor(2^46 / floor(2^16 *
/// sqrt(dim))).
[[nodiscard]] std::uint64_t sigma_q30(std::uint32_t dim);
/// 2^30 - z * sigma / 10^6 (floor), held within [0.1, 2.0]. Protocol §7.8.
[[nodiscard]] std::uint32_t radius_q30(std::int64_t difficulty_ppm, std::uint32_t dim);
/// The next average in thousandths: (average * decay + 1000 * hits * (10^4 - decay)) / 10^4.
/// Protocol §7.9.
[[nodiscard]] std::uint64_t next_hits_ema(std::uint64_t ema_milli, std::uint64_t hits,
                                          std::uint32_t decay_bps);
/// z moves by max(|z| / 10, 10^5): harder when the average is above what is wanted, easier when
/// below; it stops where the radius meets its bounds. Protocol §7.10.
[[nodiscard]] std::int64_t next_difficulty(std::int64_t difficulty_ppm, std::uint64_t ema_milli,
                                           std::uint64_t hits_wanted, std::uint32_t dim);

}  // namespace soma::rules
