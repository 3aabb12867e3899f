// CRC-32C (Castagnoli). It detects bytes that a wire or a disk changed by accident. It does not
// protect against deliberate changes.
#pragma once

#include <cstdint>

#include "messages/values/bytes.hpp"

namespace soma::inline wire {

/// `before` is the checksum of the bytes before `data`, so that parts can be summed one after the
/// other.
[[nodiscard]] std::uint32_t crc32c(byte_view data, std::uint32_t before = 0);

}  // namespace soma::inline wire
