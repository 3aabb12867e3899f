// The instruction sets that kernels are compiled for, and which one this process uses. All of them
// give the same bits (arithmetic §1.4); they differ in speed alone.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace soma::simd {

enum class isa : unsigned char {
  portable,  // for any machine: one lane, and fma is a function call
  scalar,    // one lane, and fma is an instruction
  avx2,
  avx512,
  neon,
};

[[nodiscard]] std::string_view to_text(isa set);
[[nodiscard]] std::optional<isa> parse_isa(std::string_view name);

/// The sets that this processor can run, the slowest first. `portable` is always among them.
[[nodiscard]] std::vector<isa> available_isas();

/// The set that the environment variable SOMA_ISA names, or the fastest available one without it.
/// "scalar" means `portable` where the processor has no fma. Throws std::runtime_error when
/// SOMA_ISA names no set, or one that this processor lacks.
[[nodiscard]] isa chosen_isa();

}  // namespace soma::simd
