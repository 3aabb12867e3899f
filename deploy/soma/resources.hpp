// What this process uses of the machine.
#pragma once

#include <cstdint>
#include <string_view>
#include <thread>

#include "deploy/soma/units.hpp"

namespace soma {

/// The most memory this process has held at once.
[[nodiscard]] std::uint64_t peak_memory_bytes();

/// "avx512", "avx2", "neon" or "scalar": the widest vectors of this processor that the product
/// uses.
[[nodiscard]] std::string_view vector_isa();

/// While it lives, a process that holds more than `limit` ends with a line and exit code 1 instead
/// of taking the machine along. Looks fifty times a second; only memory that is really held counts.
class memory_watch {
 public:
  explicit memory_watch(byte_count limit);

 private:
  std::jthread watcher_;
};

}  // namespace soma
