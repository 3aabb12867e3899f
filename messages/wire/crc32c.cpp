#include "messages/wire/crc32c.hpp"

#include <array>
#include <cstring>

namespace soma::inline wire {
namespace {

using slice = std::array<std::uint32_t, 256>;

/// tables[k][b] is the effect of byte b on the checksum when k more bytes follow it.
constexpr std::array<slice, 8> make_tables() {
  std::array<slice, 8> tables{};
  for (std::uint32_t b = 0; b < 256; ++b) {
    std::uint32_t value = b;
    for (int bit = 0; bit < 8; ++bit) value = value >> 1 ^ (value & 1 ? 0x82f63b78u : 0);
    tables[0][b] = value;
  }
  for (std::size_t k = 1; k < 8; ++k) {
    for (std::size_t b = 0; b < 256; ++b) {
      tables[k][b] = tables[k - 1][b] >> 8 ^ tables[0][tables[k - 1][b] & 0xff];
    }
  }
  return tables;
}

constexpr auto tables = make_tables();

}  // namespace

std::uint32_t crc32c(byte_view data, std::uint32_t before) {
  std::uint32_t value = ~before;
  while (data.size() >= 8) {
    std::uint64_t word;
    std::memcpy(&word, data.data(), 8);
    word ^= value;
    value = 0;
    for (std::size_t k = 0; k < 8; ++k) value ^= tables[7 - k][word >> (8 * k) & 0xff];
    data = data.subspan(8);
  }
  for (const auto byte : data) value = value >> 8 ^ tables[0][(value ^ byte) & 0xff];
  return ~value;
}

}  // namespace soma::inline wire
