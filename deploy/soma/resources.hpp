// What this process uses of the machine.
#pragma once

#include <cstdint>
#include <string_view>

#include "deploy/soma/failure.hpp"
#include "deploy/soma/units.hpp"

namespace soma {

/// The most memory this process has held at once.
[[nodiscard]] std::uint64_t peak_memory_bytes();

/// "avx512", "avx2", "neon" or "scalar": the widest vectors of this processor that the product
/// uses.
[[nodiscard]] std::string_view vector_isa();

/// From here on allocations beyond `limit` fail; the verb then ends with a line instead of the
/// machine with none.
[[nodiscard]] outcome limit_memory(byte_count limit);

}  // namespace soma
