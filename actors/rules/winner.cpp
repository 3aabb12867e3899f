#include "actors/rules/winner.hpp"

#include <algorithm>
#include <bit>
#include <numeric>

namespace soma::rules {

std::optional<scaled_loss> scale_loss(std::uint32_t loss_bits) {
  const std::uint32_t exponent = loss_bits >> 23;  // the sign bit is above it
  if (exponent >= 255) return std::nullopt;        // negative, infinity or NaN
  const std::uint32_t fraction = loss_bits & 0x7f'ffff;
  const std::uint32_t significand = exponent == 0 ? fraction : fraction | 0x80'0000;
  // value = significand * 2^(max(exponent, 1) - 150), times 2^24.
  const std::int32_t power = static_cast<std::int32_t>(std::max(exponent, 1u)) - 126;
  if (power >= 0) return scaled_loss{significand, static_cast<std::uint32_t>(power)};
  return scaled_loss{power <= -32 ? 0 : significand >> -power, 0};
}

bool takes_the_lead(const scaled_loss& later, const scaled_loss& leader) {
  const std::uint64_t a = std::uint64_t{later.significand} * 4'096;  // both below 2^36
  const std::uint64_t b = std::uint64_t{leader.significand} * 4'095;
  if (a == 0 || b == 0) return a < b;  // zero is zero whatever its shift
  // Compare a * 2^x with b * 2^y: lengths first, then both shifted to one scale, which then fits
  // 128 bits.
  const auto length_a = std::bit_width(a) + later.shift;
  const auto length_b = std::bit_width(b) + leader.shift;
  if (length_a != length_b) return length_a < length_b;
  const auto low = std::min(later.shift, leader.shift);
  return static_cast<wide_uint>(a) << (later.shift - low) < static_cast<wide_uint>(b)
                                                                << (leader.shift - low);
}

std::vector<std::size_t> by_activation(std::span<const contender> contenders) {
  std::vector<std::size_t> order(contenders.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const auto& x = contenders[a];
    const auto& y = contenders[b];
    return std::pair(x.activation_order, x.model) < std::pair(y.activation_order, y.model);
  });
  return order;
}

std::optional<std::size_t> winner_of(std::span<const contender> contenders) {
  std::optional<std::size_t> leader;
  scaled_loss best;
  for (const auto i : by_activation(contenders)) {
    const auto loss = contenders[i].valid ? scale_loss(contenders[i].loss_bits) : std::nullopt;
    if (!loss || (leader && !takes_the_lead(*loss, best))) continue;
    leader = i;
    best = *loss;
  }
  return leader;
}

bool cannot_win(float least_loss, std::span<const contender> earlier) {
  const auto leader = winner_of(earlier);
  const auto least = scale_loss(std::bit_cast<std::uint32_t>(least_loss));
  if (!leader || !least) return false;
  return !takes_the_lead(*least, *scale_loss(earlier[*leader].loss_bits));
}

}  // namespace soma::rules
