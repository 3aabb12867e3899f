// How far from a target data may lie, and how that follows the rate of hits. Protocol §7.
#pragma once

#include "actors/rules/block_run.hpp"

namespace soma::rules {

inline constexpr std::uint32_t distance_one_q30 = 1u << 30;
inline constexpr std::uint32_t min_radius_q30 = distance_one_q30 / 10;  // 0.1
inline constexpr std::uint32_t max_radius_q30 = 2u * distance_one_q30;  // 2.0

/// One standard deviation of the distance between random directions: floor(2^46 / floor(2^16 *
/// sqrt(dim))).
[[nodiscard]] std::uint64_t sigma_q30(std::uint32_t dim);
/// 2^30 - z * sigma / 10^6 (floor), held within [0.1, 2.0]. Protocol §7.8.
[[nodiscard]] std::uint32_t radius_q30(std::int64_t difficulty_ppm, std::uint32_t dim);

/// By how much z moves for so many hits in so many of the `slices` of an epoch: 0.3 harder above
/// four times what is wanted, 0.1 above nine eighths; 0.3 easier below a quarter, 0.1 below seven
/// eighths. Protocol §7.10.
[[nodiscard]] std::int64_t difficulty_step(std::uint64_t hits, std::uint64_t slices_passed,
                                           std::uint64_t slices, std::uint64_t hits_wanted);
/// z after a step; it stops where the radius meets its bounds. Protocol §7.10.
[[nodiscard]] std::int64_t next_difficulty(std::int64_t difficulty_ppm, std::int64_t step,
                                           std::uint32_t dim);

/// Takes a step if the time of one or more slices has passed since the last. Without targets that
/// could have been hit (`targets_stood`) nothing is known about the difficulty, and it stays.
/// Protocol §7.9.
void end_slices(block_run& run, std::uint64_t time_ms, bool targets_stood);

}  // namespace soma::rules
