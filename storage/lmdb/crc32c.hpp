// CRC32C (Castagnoli): tells bytes that rotted from bytes that were written. No protection against
// intent.
#pragma once

#include <cstdint>

#include "messages/types/bytes.hpp"

namespace soma::lmdb {

/// The checksum of what `before` is the checksum of, followed by `data`; `before` is 0 at the
/// beginning.
[[nodiscard]] std::uint32_t crc32c(byte_view data, std::uint32_t before = 0);

}  // namespace soma::lmdb
