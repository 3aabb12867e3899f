#include "deploy/soma/resources.hpp"

#include <sys/resource.h>

#include <cerrno>
#include <system_error>

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

outcome limit_memory(byte_count limit) {
  // Private writable memory, not address space: libraries map far more than they touch.
  const rlimit wanted{limit.value, limit.value};
  if (setrlimit(RLIMIT_DATA, &wanted) == 0) return {};
  return failed("cannot limit the memory to " + to_text(limit),
                std::generic_category().message(errno), "leave --memory out");
}

}  // namespace soma
