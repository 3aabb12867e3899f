// Integer arithmetic that every replica must agree on, protocol §1.2. Nothing here wraps: a result
// that has no room is a nullopt, and intermediates are 128 bits wide.
#pragma once

#include <bit>
#include <cstdint>
#include <optional>

#include "messages/values/amounts.hpp"

namespace soma::rules {

using wide_uint = unsigned __int128;
using wide_int = __int128;

/// The largest r with r * r <= value.
[[nodiscard]] constexpr std::uint64_t integer_sqrt(std::uint64_t value) {
  if (value == 0) return 0;
  // Begins with a power of two above the root; Newton's method then falls until it reaches the
  // floor.
  std::uint64_t root = std::uint64_t{1} << ((std::bit_width(value) + 1) / 2);
  for (;;) {
    const std::uint64_t next = (root + value / root) / 2;
    if (next >= root) return root;
    root = next;
  }
}

/// Division towards minus infinity, also of negative numerators. The divisor is positive.
[[nodiscard]] constexpr wide_int floor_div(wide_int a, wide_int b) {
  const wide_int quotient = a / b;
  return quotient - (a % b != 0 && a < 0 ? 1 : 0);
}

/// floor(value * parts / whole) for a part of an amount: parts <= whole, so it always fits.
[[nodiscard]] constexpr std::uint64_t share_of(std::uint64_t value, std::uint64_t parts,
                                               std::uint64_t whole) {
  return static_cast<std::uint64_t>(static_cast<wide_uint>(value) * parts / whole);
}

inline constexpr std::uint64_t basis_points = 10'000;
inline constexpr std::uint64_t millionths = 1'000'000;
// Voting power, protocol §5.4 and §5.5.
inline constexpr voting_power quorum_power{6'667};
inline constexpr voting_power third_power{3'334};

}  // namespace soma::rules
