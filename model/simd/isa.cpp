#include "model/simd/isa.hpp"

#include <cstdlib>
#include <stdexcept>
#include <string>

namespace soma::simd {
namespace {

constexpr struct {
  isa set;
  std::string_view name;
} names[] = {{isa::portable, "portable"},
             {isa::scalar, "scalar"},
             {isa::avx2, "avx2"},
             {isa::avx512, "avx512"},
             {isa::neon, "neon"}};

bool can_run(isa set) {
  switch (set) {
    case isa::portable:
      return true;
#if defined(__x86_64__)
    case isa::scalar:
      return __builtin_cpu_supports("fma");
    case isa::avx2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case isa::avx512:
      return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
             __builtin_cpu_supports("avx512vl");  // clang 14 does not know "x86-64-v4"
#elif defined(__aarch64__)
    case isa::scalar:
    case isa::neon:
      return true;
#endif
    default:
      return false;
  }
}

}  // namespace

std::string_view to_text(isa set) {
  for (const auto& known : names) {
    if (known.set == set) return known.name;
  }
  return "unknown";
}

std::optional<isa> parse_isa(std::string_view name) {
  for (const auto& known : names) {
    if (known.name == name) return known.set;
  }
  return std::nullopt;
}

std::vector<isa> available_isas() {
  std::vector<isa> all;
  for (const auto& known : names) {
    if (can_run(known.set)) all.push_back(known.set);
  }
  return all;
}

isa chosen_isa() {
  const char* const asked = std::getenv("SOMA_ISA");
  if (asked == nullptr || *asked == '\0') return available_isas().back();
  const auto set = parse_isa(asked);
  if (!set) {
    throw std::runtime_error("SOMA_ISA=" + std::string(asked) +
                             " names no instruction set: try scalar, avx2, avx512 or neon");
  }
  if (can_run(*set)) return *set;
  if (*set == isa::scalar) return isa::portable;
  throw std::runtime_error("SOMA_ISA=" + std::string(asked) + ": this processor cannot run it");
}

}  // namespace soma::simd
