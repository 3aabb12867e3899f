// A few rows against one block that is read once, at the speed of memory. Only kernels_body.hpp
// includes it, under the same rules.
#pragma once

#include "model/exact/kernels.hpp"
#include "model/simd/vector.hpp"

namespace soma::exact {
namespace {

template <class Isa>
struct scanning {
  using F = floats<Isa>;
  static constexpr std::size_t lanes = Isa::lanes;
  /// There are as many folds side by side as registers hold.
  template <std::size_t Rows>
  static constexpr std::size_t vectors_for = lanes == 16  ? 2
                                             : lanes == 8 ? (Rows <= 3 ? 4 : 2)
                                                          : 8;
  static constexpr std::size_t rows_at_once = lanes == 16 ? 8 : lanes == 8 ? 6 : lanes == 1 ? 1 : 2;
  /// How many floats ahead of the reading memory is fetched, so that the reading never waits.
  static constexpr std::size_t fetch_ahead = 64 * block_tokens;

  template <std::size_t Rows>
  static void fold(const float* block, const float* rows, std::size_t stride, std::size_t depth,
                   float* out) {
    constexpr std::size_t vectors = vectors_for<Rows>;
    for (std::size_t t = 0; t < block_tokens; t += vectors * lanes) {
      F sum[Rows][vectors];
      for (std::size_t r = 0; r < Rows; ++r) {
        for (std::size_t v = 0; v < vectors; ++v) sum[r][v] = F::zero();
      }
      const float* column = block + t;
      for (std::size_t k = 0; k < depth; ++k, column += block_tokens) {
        for (std::size_t v = 0; v < vectors * lanes; v += 16) {
          __builtin_prefetch(column + fetch_ahead + v);
        }
        F x[vectors];
        for (std::size_t v = 0; v < vectors; ++v) x[v] = F::load(column + v * lanes);
        for (std::size_t r = 0; r < Rows; ++r) {
          const F weight = F::all(rows[r * stride + k]);
          for (std::size_t v = 0; v < vectors; ++v) sum[r][v] = fma(x[v], weight, sum[r][v]);
        }
      }
      for (std::size_t r = 0; r < Rows; ++r) {
        for (std::size_t v = 0; v < vectors; ++v) {
          sum[r][v].store(out + r * block_tokens + t + v * lanes);
        }
      }
    }
  }

  /// fold<count>, for a count of 1 .. Rows.
  template <std::size_t Rows>
  static void fold_some(std::size_t count, const float* block, const float* rows,
                        std::size_t stride, std::size_t depth, float* out) {
    if constexpr (Rows > 1) {
      if (count < Rows) return fold_some<Rows - 1>(count, block, rows, stride, depth, out);
    }
    fold<Rows>(block, rows, stride, depth, out);
  }

  static void scan(const float* block, const float* rows, std::size_t stride, std::size_t count,
                   std::size_t depth, float* out) {
    // The rows are shared evenly: with one row left over, a whole reading would serve it alone.
    const std::size_t readings = (count + rows_at_once - 1) / rows_at_once;
    for (std::size_t i = 0; i < readings; ++i) {
      const std::size_t first = count * i / readings;
      fold_some<rows_at_once>(count * (i + 1) / readings - first, block, rows + first * stride,
                              stride, depth, out + first * block_tokens);
    }
  }
};

}  // namespace
}  // namespace soma::exact
