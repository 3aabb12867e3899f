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

template <class Tag>
struct counter {
  std::uint64_t value = 0;
  friend auto operator<=>(const counter&, const counter&) = default;
  [[nodiscard]] constexpr counter next() const { return {value + 1}; }
};

using epoch_number = counter<struct epoch_tag>;
using block_height = counter<struct height_tag>;

}  // namespace soma::inline values
