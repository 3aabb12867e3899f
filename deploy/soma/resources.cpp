#include "deploy/soma/resources.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <fstream>

#include "deploy/soma/console.hpp"
#include "deploy/soma/failure.hpp"

namespace soma {

std::uint64_t peak_memory_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
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

std::uint64_t held_memory_bytes() {
  std::uint64_t mapped_pages = 0;
  std::uint64_t held_pages = 0;
  std::ifstream("/proc/self/statm") >> mapped_pages >> held_pages;
  return held_pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

void watch(const std::stop_token& stop, byte_count limit) {
  while (!stop.stop_requested()) {
    const auto held = held_memory_bytes();
    if (held > limit.value) {
      note_line(
          one_line({"out of memory", "this takes more than the " + to_text(limit) + " of --memory",
                    "allow more, or ask for less at once"}));
      ::_exit(static_cast<int>(exit_code::failed));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

}  // namespace

memory_watch::memory_watch(byte_count limit)
    : watcher_([limit](const std::stop_token& stop) { watch(stop, limit); }) {}

}  // namespace soma
