// The instruction sets that kernels are compiled for, and which one this process uses. All give the
// same bits; the choice is one of speed alone.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace soma::exact {

enum class isa : unsigned char {
  portable,  // any machine: fma is a function call
  scalar,    // one lane, fma in hardware
  avx2,
  avx512,
  neon,
};

[[nodiscard]] std::string_view to_text(isa set);
[[nodiscard]] std::optional<isa> parse_isa(std::string_view name);

/// What this processor can run, slowest first; `portable` always.
[[nodiscard]] std::vector<isa> available_isas();

/// SOMA_ISA if it is set, the fastest available otherwise. "scalar" is `portable` where the
/// processor has no fma. Throws std::runtime_error when SOMA_ISA names none or one that this
/// processor lacks.
[[nodiscard]] isa chosen_isa();

}  // namespace soma::exact
