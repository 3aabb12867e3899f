// Sizes, amounts, durations and times as people write and read them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "messages/values/amounts.hpp"

namespace soma::cli {

/// A number of bytes. People write it as "2GiB", "512 KiB", "1.5MB" or "4096".
struct byte_count {
  std::uint64_t value = 0;
  friend auto operator<=>(const byte_count&, const byte_count&) = default;
};

/// Reads a size. Units are B, kB/KB, MB, GB, TB (powers of 1000), KiB … TiB and K, M, G, T (powers
/// of 1024), in upper or lower case. A fraction needs a unit. Returns nullopt for anything else,
/// for a negative number, and for more than 2^64 − 1 bytes.
[[nodiscard]] std::optional<byte_count> parse_size(std::string_view text);

/// Reads an amount of money: "12.5", "12.5 SOMA" or "12500000000sh", in upper or lower case. It is
/// never rounded: nullopt for more than nine decimals, and for more than the supply cap.
[[nodiscard]] std::optional<shannons> parse_amount(std::string_view text);

/// A size such as "1.5 MiB".
[[nodiscard]] std::string to_text(byte_count size);
/// A duration such as "850 ms", "12.3 s", "4 min 05 s" or "2 h 10 min".
[[nodiscard]] std::string duration_text(double seconds);
/// Milliseconds since the beginning of 1970, UTC.
[[nodiscard]] std::uint64_t unix_now_ms();
/// A time such as "2026-11-23 06:05:46 UTC".
[[nodiscard]] std::string time_text(std::uint64_t unix_ms);
/// A count with separated thousands, such as "1,234,567".
[[nodiscard]] std::string count_text(std::uint64_t value);
/// A number with `digits` decimals. It does not depend on the locale.
[[nodiscard]] std::string decimal_text(double value, int digits);

}  // namespace soma::cli
