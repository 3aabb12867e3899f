// The bodies of elementary_table. Only the sources of this folder include it.
#pragma once

#include "model/exact/elementary_table.hpp"
#include "model/exact/sets/elementary.hpp"

namespace soma::exact {

template <class Isa>
struct elementary_body {
  using F = floats<Isa>;
  using D = doubles<Isa>;
  static constexpr std::size_t lanes = Isa::lanes;

  /// Calls step(from, to_1, to_2) for whole vectors; the last one goes through a buffer that is
  /// filled up with 1.
  template <class Number, class Step>
  SOMA_LANES static void sweep(const Number* x, Number* y1, Number* y2, std::size_t count,
                               Step step) {
    std::size_t i = 0;
    for (; i + lanes <= count; i += lanes) step(x + i, y1 + i, y2 + i);
    if (i == count) return;
    Number in[lanes], out1[lanes], out2[lanes] = {};
    for (std::size_t l = 0; l < lanes; ++l) in[l] = i + l < count ? x[i + l] : 1;
    step(in, out1, out2);
    for (std::size_t l = 0; i + l < count; ++l) {
      y2[i + l] = out2[l];
      y1[i + l] = out1[l];  // last, since y2 is y1 where there is one result
    }
  }

#define SOMA_ELEMENTARY(name)                                                                     \
  static void name(const float* x, float* y, std::size_t count) {                                 \
    sweep(                                                                                        \
        x, y, y, count, [](const float* from, float* to, float*) __attribute__((always_inline)) { \
          exact::name(F::load(from)).store(to);                                                   \
        });                                                                                       \
  }
  SOMA_ELEMENTARY(exp)
  SOMA_ELEMENTARY(log)
  SOMA_ELEMENTARY(erf)
  SOMA_ELEMENTARY(gelu)
  SOMA_ELEMENTARY(rsqrt)
#undef SOMA_ELEMENTARY

  template <class Vector, class Number>
  SOMA_LANES static void both(const Number* x, Number* s, Number* c, std::size_t count) {
    sweep(
        x, s, c, count,
        [](const Number* from, Number* sine, Number* cosine) __attribute__((always_inline)) {
          Vector at_s, at_c;
          exact::sincos(Vector::load(from), at_s, at_c);
          at_s.store(sine);
          at_c.store(cosine);
        });
  }
  static void sincos(const float* x, float* s, float* c, std::size_t count) {
    both<F>(x, s, c, count);
  }
  static void sincos_f64(const double* x, double* s, double* c, std::size_t count) {
    both<D>(x, s, c, count);
  }
};

template <class Isa>
constexpr elementary_table make_elementary(simd::isa set) {
  using body = elementary_body<Isa>;
  return {set,        body::exp,   body::log,    body::erf,
          body::gelu, body::rsqrt, body::sincos, body::sincos_f64};
}

}  // namespace soma::exact
