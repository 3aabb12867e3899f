// The inner loops of the engine, once for each instruction set. Plain pointers; whoever calls has
// checked sizes. Exact arithmetic §2 to §5; where that text leaves a choice, scorer.hpp states it.
//
// Tokens stand side by side: a block is `block_tokens` tokens of one sequence, feature after
// feature: block[feature][token]. So every sum over features, keys or positions is a sum down a
// column, lane by lane the same, and no order of additions depends on the width of a vector.
// Matrices stand in panels: panel p holds outputs p*panel .. p*panel+panel-1 (zeros beyond the
// last), as panels[p][k][output]. Letters: D dim, W head width, K depth of a product, N outputs.
#pragma once

#include <cstddef>
#include <cstdint>

#include "model/exact/isa.hpp"

namespace soma::exact {

inline constexpr std::size_t block_tokens = 32;
inline constexpr std::size_t sum_lanes = 16;  // exact arithmetic §3

[[nodiscard]] constexpr std::size_t round_up(std::size_t count, std::size_t multiple) {
  return (count + multiple - 1) / multiple * multiple;
}

/// A product over a part of the depth: out[n][token] = fold over k of x[k][token] * w[k][n], going
/// on from what stands in `out` unless `fresh`. Blocks of x and out lie at fixed distances.
struct product {
  const float* panels;       // of the first output wanted, at the first k wanted
  std::size_t panel_stride;  // floats from one panel to the next
  std::size_t outputs;       // rounded up to whole panels by the kernel: `out` has that many rows
  const float* x;
  std::size_t x_stride;  // floats from one block to the next
  float* out;
  std::size_t out_stride;
  std::size_t blocks;
  std::size_t depth;
  bool fresh;
};

/// One head of one sequence and the queries of one block.
struct attention_task {
  float* q;            // [W][block_tokens]: queries, already turned; the result replaces them
  const float* keys;   // panels over keys of depth W: [key/panel][W][panel]
  const float* value;  // panels over W of depth slots: [w/panel][slots][panel]
  std::size_t width;   // W
  std::size_t slots;   // of the sequence, rounded up to whole blocks: depth of the value panels
  std::size_t first;   // position in the sequence of the block's first query
  float scale;         // 1 / sqrt(W)
  float* scratch;      // attention_scratch(width, slots) floats
};

inline constexpr std::size_t sigreg_slices = 256;
inline constexpr std::size_t sigreg_points = 17;
/// phi(t_i) and its trapezoid weight, i = 1 .. 16; at t_0 every distribution agrees.
struct sigreg_tables {
  float step;  // t_1
  float phi[sigreg_points];
  float weight[sigreg_points];
};

struct elementary_table;

struct kernel_table {
  isa set;
  const elementary_table* elementary;  // the functions alone, for those who measure them
  std::size_t panel;                   // outputs side by side in a panel

  /// w: [K][N], rows `row_stride` floats apart -> the panels first .. last-1.
  void (*pack)(const float* w, std::size_t depth, std::size_t outputs, std::size_t row_stride,
               std::size_t first_panel, std::size_t last_panel, float* panels);
  void (*multiply)(const product&);
  /// A few rows against one block, read once from memory: out[r][token] = fold over k of
  /// x[k][token] * rows[r * stride + k]. For so few that packing them would not pay.
  void (*scan)(const float* x, const float* rows, std::size_t stride, std::size_t count,
               std::size_t depth, float* out);

  /// out[d][t] = (x - mean) / sqrt(var + 1e-5) * gamma + beta, for one block.
  void (*layer_norm)(const float* x, const float* gamma, const float* beta, std::size_t dim,
                     float* out);
  /// Adds the bias to [outputs][block_tokens] in place.
  void (*add_bias)(float* x, const float* bias, std::size_t outputs);
  /// x += change + bias.
  void (*add_residual)(float* x, const float* change, const float* bias, std::size_t outputs);
  /// x = gelu(x + bias).
  void (*bias_gelu)(float* x, const float* bias, std::size_t outputs);
  /// Turns one head, [W][block_tokens], by angles [W/2][block_tokens].
  void (*rotate)(float* x, const float* cosine, const float* sine, std::size_t width);
  /// Cosines and sines of position * 10000^(-2i/W) for one block: [W/2][block_tokens] each.
  void (*rotary_angles)(const std::uint32_t* positions, const double* inverse_wavelengths,
                        std::size_t half_width, float* cosine, float* sine);
  std::size_t (*attention_scratch)(std::size_t width, std::size_t slots);
  void (*attend)(const attention_task&);

  /// logits [vocab][block_tokens] with the bias added -> per token maximum and log of the
  /// denominator. log p(v) = (logit_v - maximum) - log_sum.
  void (*log_sum_exp)(const float* logits, std::size_t vocab, float* maximum, float* log_sum);
  /// p [sigreg_slices][block_tokens] -> the statistic of each token. scratch: sigreg_scratch
  /// floats.
  void (*sigreg)(const float* p, const sigreg_tables&, float* statistic, float* scratch);
};

inline constexpr std::size_t sigreg_scratch = (sigreg_points - 1) * 2 * sum_lanes * sum_lanes;

/// The set must be available.
[[nodiscard]] const kernel_table& kernels_for(isa set);

extern const kernel_table kernels_portable;
extern const kernel_table kernels_scalar;
extern const kernel_table kernels_avx2;
extern const kernel_table kernels_avx512;
extern const kernel_table kernels_neon;

}  // namespace soma::exact
