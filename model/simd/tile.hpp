// The heart of every matrix product, of the exact engine and of training alike: a tile of the
// result that stays in registers while the depth of the product goes upwards. Each sum of the tile
// is one fold, sum = vector * factor + sum, in the order of the depth (arithmetic §2.1).
//
// The same rules as in vector.hpp hold: only the sources of one instruction set include this file.
#pragma once

#include "model/simd/vector.hpp"

namespace soma::simd {

template <std::size_t I>
struct index_constant {
  static constexpr std::size_t value = I;
};
/// Calls work(index_constant<i>) for i from First to Last - 1. Unlike a loop, this leaves no
/// variable index, so the compiler keeps arrays in registers from the start.
template <std::size_t First, std::size_t Last, class Work>
SOMA_LANES void unrolled(const Work& work) {
  if constexpr (First < Last) {
    work(index_constant<First>{});
    unrolled<First + 1, Last>(work);
  }
}

/// `factors` rows of `vectors` vectors. How the caller stores them is its own matter: all distances
/// below are in floats.
template <class Isa>
struct product_tile {
  using F = floats<Isa>;
  static constexpr std::size_t vectors = Isa::tile_vectors;
  static constexpr std::size_t factors = Isa::tile_factors;
  static constexpr std::size_t width = vectors * F::lanes;  // floats in a row of the tile

  F sum[factors][vectors];

  /// Calls work(row, vector) for every vector of the tile; both are constants.
  template <class Work>
  SOMA_LANES static void each(const Work& work) {
    unrolled<0, factors>([&](auto row) [[gnu::always_inline]] {
      unrolled<0, vectors>([&](auto vector) [[gnu::always_inline]] { work(row, vector); });
    });
  }

  SOMA_LANES void clear() {
    each([&](auto r, auto v) [[gnu::always_inline]] { sum[r.value][v.value] = F::zero(); });
  }
  SOMA_LANES void load(const float* at, std::size_t stride) {
    each([&](auto r, auto v) [[gnu::always_inline]] {
      sum[r.value][v.value] = F::load(at + r.value * stride + v.value * F::lanes);
    });
  }
  SOMA_LANES void store(float* at, std::size_t stride) const {
    each([&](auto r, auto v) [[gnu::always_inline]] {
      sum[r.value][v.value].store(at + r.value * stride + v.value * F::lanes);
    });
  }

  /// Goes down `depth` steps. At step k the vectors stand at from[k * VectorStep], side by side,
  /// and factor r at by[k * DepthStep + r * FactorStep]. `Fused` rounds each step once; otherwise
  /// the compiler decides. With `next`, as much memory from there on as the factors take is fetched
  /// meanwhile, because the caller will need it soon.
  template <bool Fused, std::size_t VectorStep, std::size_t DepthStep, std::size_t FactorStep,
            class... Next>
  SOMA_LANES void accumulate(const float* from, const float* by, std::size_t depth,
                             const Next*... next) {
    const auto step = [&](const float* vectors_at, const float* factors_at) [[gnu::always_inline]] {
      F column[vectors];
      unrolled<0, vectors>([&](auto v) [[gnu::always_inline]] {
        column[v.value] = F::load(vectors_at + v.value * F::lanes);
      });
      unrolled<0, factors>([&](auto r) [[gnu::always_inline]] {
        const F factor = F::all(factors_at[r.value * FactorStep]);
        unrolled<0, vectors>([&](auto v) [[gnu::always_inline]] {
          F& to = sum[r.value][v.value];
          if constexpr (Fused) {
            to = fma(column[v.value], factor, to);
          } else {
            to = column[v.value] * factor + to;
          }
        });
      });
    };
    std::size_t k = 0;
    if constexpr (sizeof...(Next) > 0) {
      // Two steps take no more factors than a line of the cache holds, so one fetch is enough for
      // both.
      for (; k + 2 <= depth; k += 2, from += 2 * VectorStep, by += 2 * DepthStep) {
        (__builtin_prefetch(next + k * DepthStep), ...);
        step(from, by);
        step(from + VectorStep, by + DepthStep);
      }
    }
    for (; k < depth; ++k, from += VectorStep, by += DepthStep) step(from, by);
  }
};

}  // namespace soma::simd
