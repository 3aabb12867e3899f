// Private to storage/votes: numbers as little endian bytes.
#pragma once

#include <cstddef>
#include <cstdint>

#include "messages/values/bytes.hpp"

namespace soma::votes {

inline void append_little(bytes& to, std::uint64_t number, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) to.push_back(static_cast<std::uint8_t>(number >> (8 * i)));
}
[[nodiscard]] inline std::uint64_t little(byte_view data) {
  std::uint64_t number = 0;
  for (std::size_t i = data.size(); i-- > 0;) number = number << 8 | data[i];
  return number;
}

}  // namespace soma::votes
