// Bytes as values and views, and their text form.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace soma::inline values {

using bytes = std::vector<std::uint8_t>;
using byte_view = std::span<const std::uint8_t>;

/// The bytes of a text, as they stand in memory.
[[nodiscard]] inline byte_view as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// Lower-case hex, two digits a byte, without a prefix.
[[nodiscard]] std::string to_hex(byte_view data);

/// The bytes of an even number of hex digits, with or without "0x"; nullopt for anything else.
[[nodiscard]] std::optional<bytes> from_hex(std::string_view text);

}  // namespace soma::inline values
