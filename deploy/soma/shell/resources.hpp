// What this process uses of the machine.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string_view>
#include <thread>

#include "deploy/soma/shell/units.hpp"

namespace soma::cli {

/// The most memory this process has held at once, mapped files included.
[[nodiscard]] std::uint64_t peak_memory_bytes();

/// Memory that this process holds for itself now: pages of files that are merely mapped do not
/// count, the system can take those back.
[[nodiscard]] std::uint64_t own_memory_bytes();

/// "avx512", "avx2", "neon" or "scalar": the widest vectors of this processor that the product
/// uses.
[[nodiscard]] std::string_view vector_isa();

/// Looks at own_memory_bytes() a hundred times a second and keeps the largest. With a limit, a
/// process that holds more ends with a line and exit code 1 instead of taking the machine along.
class memory_watch {
 public:
  explicit memory_watch(std::optional<byte_count> limit = {});
  /// The most that was held since the watch began, this moment included.
  [[nodiscard]] std::uint64_t peak_bytes();

 private:
  std::atomic<std::uint64_t> peak_{0};
  std::jthread watcher_;
};

}  // namespace soma::cli
