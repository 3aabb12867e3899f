// A measurement with a chosen instruction set. Both sides are held to it: our code by SOMA_ISA, the
// peers by what OpenBLAS and libtorch read when they are loaded. So a ratio says how good the code
// is, and not which library knows more of the processor.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "deploy/soma/bench/bench.hpp"
#include "model/simd/isa.hpp"

namespace soma::cli {

using measurement = std::function<expected<std::vector<bench_row>, failure>()>;

/// The sets that the value of --isa names: "all" is all that this processor can run except
/// `portable`, which is for machines without fma; "" is the one that SOMA_ISA or the processor
/// chooses. Refuses a set that does not exist or that this processor lacks.
[[nodiscard]] expected<std::vector<simd::isa>, failure> sets_named(std::string_view names);

/// Measures with `set` in this process, which must not have loaded a peer or chosen a set yet.
[[nodiscard]] expected<std::vector<bench_row>, failure> measure_with(simd::isa set,
                                                                     const measurement& measure);

/// Measures with `set` in a child process, which ends with this call. No thread may have been
/// started before.
[[nodiscard]] expected<std::vector<bench_row>, failure> measure_in_child(
    simd::isa set, const measurement& measure);

}  // namespace soma::cli
