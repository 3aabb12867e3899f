#include "deploy/soma/shell/resources.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>

#include "deploy/soma/shell/console.hpp"
#include "deploy/soma/shell/failure.hpp"

namespace soma::cli {

std::uint64_t peak_memory_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
}

std::uint64_t own_memory_bytes() {
  std::uint64_t mapped_pages = 0;
  std::uint64_t held_pages = 0;
  std::uint64_t file_pages = 0;
  std::ifstream("/proc/self/statm") >> mapped_pages >> held_pages >> file_pages;
  return (held_pages - file_pages) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::string_view vector_isa() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq")) {
    return "avx512";
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return "avx2";
#elif defined(__aarch64__)
  return "neon";
#endif
  return "scalar";
}

namespace {

void watch(const std::stop_token& stop, std::optional<byte_count> limit,
           std::atomic<std::uint64_t>& peak) {
  while (!stop.stop_requested()) {
    const auto held = own_memory_bytes();
    if (held > peak.load()) peak.store(held);
    if (limit && held > limit->value) {
      note_line(one_line({"out of memory",
                          "this work needs more than the " + to_text(*limit) + " of --memory",
                          "allow more memory, or ask for less work at once"}));
      ::_exit(static_cast<int>(exit_code::failed));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

}  // namespace

memory_watch::memory_watch(std::optional<byte_count> limit)
    : watcher_([this, limit](const std::stop_token& stop) { watch(stop, limit, peak_); }) {}

std::uint64_t memory_watch::peak_bytes() {
  return std::max(peak_.load(), own_memory_bytes());
}

}  // namespace soma::cli
