// Sizes, durations and rates as people write and read them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "messages/values/amounts.hpp"

namespace soma::cli {

/// A number of bytes that reads as "2GiB", "512 KiB", "1.5MB" or "4096".
struct byte_count {
  std::uint64_t value = 0;
  friend auto operator<=>(const byte_count&, const byte_count&) = default;
};

/// Units: B, kB/KB, MB, GB, TB (powers of 1000), KiB … TiB and K, M, G, T (powers of 1024), any
/// case. nullopt for anything else, for a negative number, and for more than 2^64 − 1 bytes. A
/// fraction needs a unit.
[[nodiscard]] std::optional<byte_count> parse_size(std::string_view text);

/// An amount of money: "12.5", "12.5 SOMA" or "12500000000sh", any case; exact, so nullopt for more
/// than nine decimals, and for more than the supply cap.
[[nodiscard]] std::optional<shannons> parse_amount(std::string_view text);

[[nodiscard]] std::string to_text(byte_count size);  // "1.5 MiB"
[[nodiscard]] std::string duration_text(
    double seconds);  // "850 ms", "12.3 s", "4 min 05 s", "2 h 10 min"
[[nodiscard]] std::uint64_t unix_now_ms();
/// "2026-11-23 06:05:46 UTC"
[[nodiscard]] std::string time_text(std::uint64_t unix_ms);
[[nodiscard]] std::string count_text(std::uint64_t value);  // "1,234,567"
[[nodiscard]] std::string decimal_text(double value,
                                       int digits);  // fixed, independent of the locale

}  // namespace soma::cli
