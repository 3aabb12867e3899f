// Private to storage/journal: the bytes of a journal, and how they are checked.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "messages/values/bytes.hpp"
#include "messages/wire/crc32c.hpp"

namespace soma::journal {

inline constexpr std::string_view magic = "soma-journal 1\n\0";
inline constexpr std::size_t sector_bytes = 512;
/// The first byte of a sector tells whether a record begins in it. So no payload, which a stranger
/// may have chosen, can pass for a record.
enum class sector_kind : std::uint8_t { record_begins = 1, record_goes_on = 2 };
inline constexpr std::size_t sector_payload_bytes = sector_bytes - 1;
inline constexpr std::size_t record_head_bytes = 16;
inline constexpr std::size_t file_head_bytes = 32;
/// Larger units of writing are not used; a file that claims one is damaged.
inline constexpr std::size_t largest_unit_bytes = 64 << 10;

inline void put_little(std::uint8_t* to, std::uint64_t number, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) to[i] = static_cast<std::uint8_t>(number >> (8 * i));
}
[[nodiscard]] inline std::uint64_t little(byte_view data) {
  std::uint64_t number = 0;
  for (std::size_t i = data.size(); i-- > 0;) number = number << 8 | data[i];
  return number;
}

[[nodiscard]] inline std::size_t rounded_up(std::size_t size, std::size_t unit) {
  return (size + unit - 1) / unit * unit;
}

/// The first bytes of a file, which its first unit holds.
struct file_head {
  std::uint64_t first = 0;  // the sequence number of the first record
  std::uint32_t unit_bytes = 0;

  [[nodiscard]] std::array<std::uint8_t, file_head_bytes> layout() const {
    std::array<std::uint8_t, file_head_bytes> made{};
    std::copy(magic.begin(), magic.end(), made.begin());
    put_little(made.data() + 16, first, 8);
    put_little(made.data() + 24, unit_bytes, 4);
    put_little(made.data() + 28, crc32c(byte_view(made).first(28)), 4);
    return made;
  }
  [[nodiscard]] static std::optional<file_head> parse(byte_view from) {
    if (from.size() < file_head_bytes) return std::nullopt;
    const file_head read{little(from.subspan(16, 8)),
                         static_cast<std::uint32_t>(little(from.subspan(24, 4)))};
    const auto whole = read.layout();
    if (!std::equal(whole.begin(), whole.end(), from.begin())) return std::nullopt;
    const bool is_unit = read.unit_bytes >= sector_bytes && read.unit_bytes <= largest_unit_bytes &&
                         read.unit_bytes % sector_bytes == 0;
    return is_unit ? std::optional(read) : std::nullopt;
  }
};

/// The bytes on the disk of a record with so much payload, without what fills its last unit.
[[nodiscard]] inline std::size_t framed_bytes(std::size_t payload) {
  const auto sectors =
      (record_head_bytes + payload + sector_payload_bytes - 1) / sector_payload_bytes;
  return sectors * sector_bytes;
}

}  // namespace soma::journal
