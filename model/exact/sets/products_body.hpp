// Products and sums down the columns of a block, on which all kernels stand.
#pragma once

#include "model/exact/kernels.hpp"
#include "model/exact/sets/elementary.hpp"
#include "model/simd/tile.hpp"

namespace soma::exact {
namespace {

using std::size_t;

/// The part of the depth that is walked at a time: one panel of it and as many steps of the tokens
/// of one tile stay in a first-level cache of 32 KiB.
inline constexpr size_t depth_step = 256;
inline constexpr size_t panels_packed_together = 8;

/// Arithmetic §2.1.
template <class Isa>
struct products {
  using tile = simd::product_tile<Isa>;
  static constexpr size_t panel = tile::factors;
  static_assert(block_tokens % tile::width == 0);
  /// Panels of depth_step steps that fit half of a second-level cache of 512 KiB.
  static constexpr size_t panel_group = (size_t{192} << 10) / (depth_step * panel * sizeof(float));

  static void pack(const float* w, size_t depth, size_t outputs, size_t row_stride,
                   size_t first_panel, size_t last_panel, float* panels) {
    for (size_t group = first_panel; group < last_panel; group += panels_packed_together) {
      const size_t end =
          group + panels_packed_together < last_panel ? group + panels_packed_together : last_panel;
      for (size_t k = 0; k < depth; ++k) {
        for (size_t p = group; p < end; ++p) {
          float* const to = panels + (p * depth + k) * panel;
          for (size_t j = 0; j < panel; ++j) {
            const size_t n = p * panel + j;
            to[j] = n < outputs ? w[k * row_stride + n] : 0.0f;
          }
        }
      }
    }
  }

  /// A function of its own: inlined into a large one, its sums would not all stay in registers.
  [[gnu::noinline]] static void multiply_tile(const float* w, const float* next_w, const float* x,
                                              size_t depth, bool fresh, float* out) {
    tile sums;
    if (fresh) {
      sums.clear();
    } else {
      sums.load(out, block_tokens);
    }
    // The next tile of the result may be far away, and its first step would wait for it.
    constexpr size_t line = 64 / sizeof(float);
    for (size_t row = panel; row < 2 * panel; ++row) {
      for (size_t t = 0; t < tile::width; t += line) {
        __builtin_prefetch(out + row * block_tokens + t, 1);
      }
    }
    sums.template accumulate<true, block_tokens, panel, 1>(x, w, depth, next_w);
    sums.store(out, block_tokens);
  }

  /// A group of panels and its part of the result stay in the second-level cache while all blocks
  /// go through them, and a half of a block stays in the first-level cache while it goes through
  /// the group.
  static void multiply(const product& p) {
    const size_t panels = (p.outputs + panel - 1) / panel;
    for (size_t group = 0; group < panels; group += panel_group) {
      const size_t end = group + panel_group < panels ? group + panel_group : panels;
      for (size_t k = 0; k < p.depth || k == 0; k += depth_step) {
        const size_t depth = p.depth - k < depth_step ? p.depth - k : depth_step;
        for (size_t b = 0; b < p.blocks; ++b) {
          const float* const x = p.x + b * p.x_stride + k * block_tokens;
          for (size_t t = 0; t < block_tokens; t += tile::width) {
            for (size_t n = group; n < end; ++n) {
              const float* const w = p.panels + n * p.panel_stride + k * panel;
              const float* const next_w = n + 1 < end ? w + p.panel_stride : w;
              float* const out = p.out + b * p.out_stride + n * panel * block_tokens;
              multiply_tile(w, next_w, x + t, depth, p.fresh && k == 0, out + t);
            }
          }
        }
      }
    }
  }
};

/// Arithmetic §3.1.
template <class Isa>
struct column_sums {
  using F = floats<Isa>;

  struct lane_sums {
    F lane[sum_lanes];
    SOMA_LANES void clear() {
      for (auto& l : lane) l = F::zero();
    }
    SOMA_LANES F fold() const {
      F l[sum_lanes];
      for (size_t i = 0; i < sum_lanes; ++i) l[i] = lane[i];
      for (size_t half = sum_lanes / 2; half > 0; half /= 2) {
        for (size_t i = 0; i < half; ++i) l[i] = l[i] + l[i + half];
      }
      return l[0];
    }
  };

  /// The sum of element(row) over `count` rows.
  template <class Element>
  SOMA_LANES static F sum_rows(size_t count, Element&& element) {
    lane_sums sums;
    sums.clear();
    size_t row = 0;
    for (; row + sum_lanes <= count; row += sum_lanes) {
      for (size_t l = 0; l < sum_lanes; ++l) sums.lane[l] = sums.lane[l] + element(row + l);
    }
    for (size_t l = 0; row + l < count; ++l) sums.lane[l] = sums.lane[l] + element(row + l);
    return sums.fold();
  }
};

}  // namespace
}  // namespace soma::exact
