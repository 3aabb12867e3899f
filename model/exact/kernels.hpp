// The inner loops of the engine, once for each instruction set. They take plain pointers, and the
// caller has checked the sizes. ARITHMETIC.md defines what they compute.
//
// Layout of activations: a block is `block_tokens` tokens of one sequence, feature after feature,
// block[feature][token]. The tokens stand side by side in the lanes of a vector, so every sum over
// features, keys or positions is a sum down a column, the same in every lane, and the width of a
// vector changes no order of additions.
//
// Layout of packed matrices: a matrix [K][N] is packed as panels[p][k][output]. Panel p holds the
// outputs p * panel .. p * panel + panel - 1, and zeros beyond output N - 1.
//
// Letters: D dim, W head dimension, K depth of a product, N its outputs.
#pragma once

#include <cstddef>
#include <cstdint>

#include "model/simd/isa.hpp"

namespace soma::exact {

inline constexpr std::size_t block_tokens = 32;
inline constexpr std::size_t sum_lanes = 16;  // arithmetic §3.1

[[nodiscard]] constexpr std::size_t round_up(std::size_t count, std::size_t multiple) {
  return (count + multiple - 1) / multiple * multiple;
}

/// A product of blocks of tokens with a packed matrix, over all of the depth or a part of it:
/// out[n][token] = the fold of arithmetic §2.1 over x[k][token] * w[k][n].
struct product {
  const float* panels;       // at the first output and the first k of this product
  std::size_t panel_stride;  // floats from one panel to the next
  std::size_t outputs;       // `out` has this many rows, rounded up to whole panels
  const float* x;
  std::size_t x_stride;  // floats from one block to the next
  float* out;
  std::size_t out_stride;  // floats from one block to the next
  std::size_t blocks;
  std::size_t depth;  // how many k
  bool fresh;         // the fold begins with +0; otherwise it goes on from what stands in `out`
};

/// Attention of one head of one sequence for the queries of one block (arithmetic §5.5).
struct attention_task {
  float* q;                   // [W][block_tokens]: rotated queries; the result replaces them
  const float* keys;          // packed [W][keys]: [key / panel][W][panel]
  const float* values;        // packed [padded_length][W]: [w / panel][padded_length][panel]
  std::size_t head_dim;       // W
  std::size_t padded_length;  // S rounded up to whole blocks
  std::size_t first;          // the first query's number in its sequence
  float scale;                // 1 / sqrt(W)
  float* scratch;             // attention_scratch(head_dim, padded_length) floats
};

inline constexpr std::size_t sigreg_slices = 256;
inline constexpr std::size_t sigreg_points = 17;
/// The constants of SIGReg's statistic at the points 0 .. 16 (arithmetic §5.8). At point 0 every
/// distribution agrees with the normal one.
struct sigreg_tables {
  float step;  // the distance of the points
  float phi[sigreg_points];
  float weight[sigreg_points];
};

struct elementary_table;

struct kernel_table {
  simd::isa set;
  const elementary_table* elementary;  // the elementary functions alone, for tests
  std::size_t panel;                   // outputs side by side in a panel

  /// Packs the panels first_panel .. last_panel - 1 of w, a matrix [K][N] whose rows are
  /// `row_stride` floats apart.
  void (*pack)(const float* w, std::size_t depth, std::size_t outputs, std::size_t row_stride,
               std::size_t first_panel, std::size_t last_panel, float* panels);
  void (*multiply)(const product&);
  /// A few rows against one block, which is read once: out[r][token] = the fold of arithmetic §2.1
  /// over x[k][token] * rows[r * stride + k]. For so few rows packing would not pay.
  void (*scan)(const float* x, const float* rows, std::size_t stride, std::size_t count,
               std::size_t depth, float* out);

  /// The layer norm of one block (arithmetic §5.3).
  void (*layer_norm)(const float* x, const float* gamma, const float* beta, std::size_t dim,
                     float* out);
  /// x[outputs][block_tokens] += bias (arithmetic §2.2).
  void (*add_bias)(float* x, const float* bias, std::size_t outputs);
  /// x += change + bias (arithmetic §5.2).
  void (*add_residual)(float* x, const float* change, const float* bias, std::size_t outputs);
  /// x = gelu(x + bias) (arithmetic §4.5).
  void (*bias_gelu)(float* x, const float* bias, std::size_t outputs);
  /// Adds the bias (arithmetic §2.2) to one head, x[W][block_tokens], and then rotates it by angles
  /// [W/2][block_tokens] (arithmetic §5.4).
  void (*rotate)(float* x, const float* bias, const float* cosine, const float* sine,
                 std::size_t head_dim);
  /// Cosines and sines of position * frequency for one block: [W/2][block_tokens] each.
  void (*rotary_angles)(const std::uint32_t* positions, const double* frequencies,
                        std::size_t half_dim, float* cosine, float* sine);
  /// Packs the keys or values of one head for the tokens of one block, from[W][block_tokens]. The
  /// first token is number `first` of its sequence. `to` is the head's packed matrix, see
  /// attention_task.
  void (*pack_keys)(const float* from, std::size_t head_dim, std::size_t first, float* to);
  void (*pack_values)(const float* from, std::size_t head_dim, std::size_t padded_length,
                      std::size_t first, float* to);
  std::size_t (*attention_scratch)(std::size_t head_dim, std::size_t padded_length);
  void (*attend)(const attention_task&);

  /// For each token the maximum of logits [vocab][block_tokens], and the logarithm of the sum of
  /// e^(logit - maximum) (arithmetic §5.6). log p(v) = (logit(v) - maximum) - log_sum.
  void (*log_sum_exp)(const float* logits, std::size_t vocab, float* maximum, float* log_sum);
  /// SIGReg's statistic of each token from its projections [sigreg_slices][block_tokens]
  /// (arithmetic §5.8). `scratch` has sigreg_scratch floats.
  void (*sigreg)(const float* projections, const sigreg_tables&, float* statistic, float* scratch);
};

inline constexpr std::size_t sigreg_scratch = (sigreg_points - 1) * 2 * sum_lanes * sum_lanes;

/// The kernels of a set that this processor can run.
[[nodiscard]] const kernel_table& kernels_for(simd::isa set);

extern const kernel_table kernels_portable;
extern const kernel_table kernels_scalar;
extern const kernel_table kernels_avx2;
extern const kernel_table kernels_avx512;
extern const kernel_table kernels_neon;

}  // namespace soma::exact
