// The elementary functions of arithmetic §4 over arrays, once for each instruction set: what tests
// call. Kernels use the templates of sets/elementary.hpp. `count` may be anything, and the result
// may overwrite the argument.
#pragma once

#include <cstddef>

#include "model/simd/isa.hpp"

namespace soma::exact {

struct elementary_table {
  simd::isa set;
  void (*exp)(const float* x, float* y, std::size_t count);
  void (*log)(const float* x, float* y, std::size_t count);
  void (*erf)(const float* x, float* y, std::size_t count);
  void (*gelu)(const float* x, float* y, std::size_t count);
  void (*rsqrt)(const float* x, float* y, std::size_t count);
  void (*sincos)(const float* x, float* s, float* c, std::size_t count);
  void (*sincos_f64)(const double* x, double* s, double* c, std::size_t count);
};

/// The functions of a set that this processor can run.
[[nodiscard]] const elementary_table& elementary_for(simd::isa set);

}  // namespace soma::exact
