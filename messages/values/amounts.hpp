// Amounts and counters as types of their own. Arithmetic on amounts is checked: it returns nullopt
// and never wraps.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>

namespace soma::inline values {

/// 10^-9 SOMA. The supply cap, 10^16, fits with room to spare. Protocol §1.1.
struct shannons {
  std::uint64_t value = 0;
  friend auto operator<=>(const shannons&, const shannons&) = default;
};

inline constexpr std::uint64_t shannons_per_soma = 1'000'000'000;
inline constexpr shannons supply_cap{10'000'000 * shannons_per_soma};

[[nodiscard]] constexpr std::optional<shannons> add(shannons a, shannons b) {
  std::uint64_t sum = 0;
  if (__builtin_add_overflow(a.value, b.value, &sum)) return std::nullopt;
  return shannons{sum};
}

[[nodiscard]] constexpr std::optional<shannons> subtract(shannons a, shannons b) {
  if (b.value > a.value) return std::nullopt;
  return shannons{a.value - b.value};
}

/// floor(a * b / c) with a 128-bit intermediate; nullopt when c is zero or the result needs more
/// than 64 bits.
[[nodiscard]] constexpr std::optional<std::uint64_t> mul_div(std::uint64_t a, std::uint64_t b,
                                                             std::uint64_t c) {
  if (c == 0) return std::nullopt;
  const auto wide = static_cast<unsigned __int128>(a) * b / c;
  if (wide > UINT64_MAX) return std::nullopt;
  return static_cast<std::uint64_t>(wide);
}

/// Writes an amount as "12.5 SOMA", with only as many decimals as it needs.
[[nodiscard]] std::string to_text(shannons amount);

/// A position on one line, as points in time are: two of them have a distance, and a sum of two
/// means nothing. Nothing here is checked for overflow, since no line is that long.
template <class Tag>
struct counter {
  std::uint64_t value = 0;
  friend auto operator<=>(const counter&, const counter&) = default;
  [[nodiscard]] constexpr counter next() const { return {value + 1}; }
  constexpr counter& operator++() {
    ++value;
    return *this;
  }
  constexpr counter& operator--() {
    --value;
    return *this;
  }
  [[nodiscard]] friend constexpr counter operator+(counter a, std::uint64_t n) {
    return {a.value + n};
  }
  [[nodiscard]] friend constexpr counter operator-(counter a, std::uint64_t n) {
    return {a.value - n};
  }
  [[nodiscard]] friend constexpr std::uint64_t operator-(counter a, counter b) {
    return a.value - b.value;
  }
};

using epoch_number = counter<struct epoch_tag>;
using block_height = counter<struct height_tag>;
/// Counts from 1 in each epoch. View 0 stands for the block on which the epoch begins.
using view_number = counter<struct view_tag>;

/// The position of a member in the committee of an epoch, from 0.
struct seat_index {
  std::uint16_t value = 0;
  friend auto operator<=>(const seat_index&, const seat_index&) = default;
};

/// What a member's vote weighs, in units of which every committee has total_power. Protocol §5.4.
struct voting_power {
  std::uint32_t value = 0;
  friend auto operator<=>(const voting_power&, const voting_power&) = default;
  constexpr voting_power& operator+=(voting_power more) {
    value += more.value;
    return *this;
  }
  [[nodiscard]] friend constexpr voting_power operator+(voting_power a, voting_power b) {
    return {a.value + b.value};
  }
  [[nodiscard]] friend constexpr voting_power operator-(voting_power a, voting_power b) {
    return {a.value - b.value};
  }
};

inline constexpr voting_power total_power{10'000};

}  // namespace soma::inline values
