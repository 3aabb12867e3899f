// How much memory this process uses, and which vector instructions.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string_view>
#include <thread>

#include "deploy/soma/shell/units.hpp"

namespace soma::cli {

/// The most memory that this process has held at once so far, including mapped files.
[[nodiscard]] std::uint64_t peak_memory_bytes();

/// Memory that this process holds for itself now. Pages of mapped files do not count, since the
/// system can take them back.
[[nodiscard]] std::uint64_t own_memory_bytes();

/// The widest vector instructions of this processor that the product uses: "avx512", "avx2", "neon"
/// or "scalar".
[[nodiscard]] std::string_view vector_isa();

/// Calls own_memory_bytes() a hundred times a second and keeps the largest value. With a limit, a
/// process that holds more ends with a message and exit code 1, before the whole machine runs out
/// of memory.
class memory_watch {
 public:
  explicit memory_watch(std::optional<byte_count> limit = {});
  /// The most memory that was held from the beginning of the watch until now.
  [[nodiscard]] std::uint64_t peak_bytes();

 private:
  std::atomic<std::uint64_t> peak_{0};
  std::jthread watcher_;
};

}  // namespace soma::cli
