// CRC-32C (Castagnoli): finds what a wire or a disk did to bytes by accident. It stops no one who
// means to change them.
#pragma once

#include <cstdint>

#include "messages/values/bytes.hpp"

namespace soma::inline wire {

/// `before` is the checksum of what came before `data`, so that parts can be summed one after the
/// other.
[[nodiscard]] std::uint32_t crc32c(byte_view data, std::uint32_t before = 0);

}  // namespace soma::inline wire
