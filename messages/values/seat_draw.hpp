// How a hash draws a member of a committee, so that each is drawn in proportion to its power.
#pragma once

#include <span>

#include "messages/values/assert.hpp"
#include "messages/values/rows.hpp"

namespace soma::inline values {

/// The seat that a hash draws. Its first eight bytes, a little-endian number, are a fraction of
/// 2^64; the same fraction of total_power falls into the interval of one seat when the powers stand
/// one after the other in the order of seats. The powers sum to total_power.
[[nodiscard]] inline seat_index seat_of_draw(std::span<const committee_seat> seats,
                                             const hash256& drawn) {
  std::uint64_t fraction = 0;
  for (std::size_t i = 8; i-- > 0;) fraction = fraction << 8 | drawn.value[i];
  const auto unit = static_cast<std::uint32_t>(
      static_cast<unsigned __int128>(fraction) * total_power.value >> 64);
  voting_power upper;
  for (std::uint16_t i = 0; i < seats.size(); ++i) {
    upper += seats[i].power;
    if (unit < upper.value) return {i};
  }
  SOMA_ASSERT(false, "every unit of power belongs to a seat");
  return {};
}

}  // namespace soma::inline values
