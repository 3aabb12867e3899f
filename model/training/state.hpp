// Shared by the parts of a training pass: its memory, the offsets of the tensors in the flat
// parameters, and the functions that cut work into jobs. For sources of model/training only.
//
// Letters: B sequences of S tokens in a step, T = B * S positions, D dim, F ffn, V vocabulary,
// H heads, W head dimension, L layers. d_x is the gradient of the loss with respect to x.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <vector>

#include "model/simd/float_buffer.hpp"
#include "model/training/kernels.hpp"
#include "model/training/pass.hpp"
#include "model/training/rotary.hpp"
#include "model/training/sigreg.hpp"
#include "model/training/team.hpp"

namespace soma::training {

using simd::float_buffer;

/// Where tensors begin in the flat parameters, which have the order of weights::tensor_table.
struct affine_offsets {
  std::size_t weight = 0;  // of a linear layer: [in][out]; of a norm: gamma
  std::size_t bias = 0;    // of a linear layer: [out]; of a norm: beta
};
struct layer_offsets {
  affine_offsets norm_1, query, key, value, output, norm_2, inner, outer;
};
struct network_offsets {
  std::size_t embedding = 0;
  std::vector<layer_offsets> layers;
  affine_offsets final_norm, predictor;
};

/// A weight in the form that matrix products read: packed for the forward pass, and its transpose
/// packed for gradients.
struct packed_weight {
  std::size_t in = 0, out = 0;
  float_buffer packed, packed_transposed;
};

/// The values of one layer that are kept from forward to backward.
struct layer_activations {
  float_buffer qkv;          // [T][3D]
  float_buffer attended;     // [T][D]: the result of attention, before the output projection
  float_buffer log_sum_exp;  // [B][H][S]
  float_buffer residual;     // [T][D]: the residual stream after attention was added
  float_buffer hidden;       // [T][F]: before GELU; backward overwrites it with its GELU
};

/// Gradients of biases and norms are sums over positions. Each tile of positions has its own sums,
/// in a row of `all` floats. These are the offsets in such a row.
struct tile_sum_offsets {
  std::size_t outer, inner, norm_2, output, qkv, norm_1, all;
  tile_sum_offsets(std::size_t d, std::size_t f);
};

/// Jobs of one round, which the workers share. Each gets the scratch of the worker that runs it.
using job_list = std::vector<std::function<void(float* scratch)>>;

struct training_state {
  static constexpr std::size_t tile = 64;  // positions that go through a layer together
  static constexpr std::size_t vocab = model_architecture::vocab;
  static constexpr std::size_t sum_columns = 256;  // columns that one job sums over the tiles

  /// A step has 1 .. max_positions positions.
  training_state(const model_architecture& arch, std::uint64_t max_positions,
                 const matmul_kernels& products, bool recompute, team& workers,
                 const kernel_set& kernel);

  std::size_t layers, d, f, heads;
  const kernel_set& kernel;
  const matmul_kernels& products;
  bool recompute;
  team& workers;
  network_offsets offsets;
  tile_sum_offsets sums;
  rotary_table angles;  // of the positions 0 .. max_seq - 1

  packed_weight query, key, value, output, inner, outer, predictor;
  std::vector<float_buffer> x;  // L + 1 of [T][D]: the residual stream between layers
  std::vector<layer_activations> activations;  // one per layer, or a single one with `recompute`
  float_buffer normalized;                     // [T][D]: the result of the norm at hand
  float_buffer d_x, d_residual, d_attended;    // [T][D]
  float_buffer d_hidden;                       // [T][F]
  float_buffer d_qkv;                          // [T][3D]
  float_buffer d_logits;                       // [T][V]
  float_buffer tile_sums;                      // [tiles][sums.all]
  std::vector<double> tile_losses;
  std::vector<float_buffer> scratch;  // one per worker

  // These belong to the present step.
  std::size_t sequences = 0, length = 0, positions = 0, tiles = 0;
  const float* parameters = nullptr;
  float* gradients = nullptr;

  [[nodiscard]] attention_shape shape() const { return {length, heads, d / heads}; }
  [[nodiscard]] layer_activations& activations_of(std::size_t layer) {
    return activations[recompute ? 0 : layer];
  }
  [[nodiscard]] float* sums_of(std::size_t first_position) const {
    return tile_sums.data() + first_position / tile * sums.all;
  }
  [[nodiscard]] const float* weight(const affine_offsets& at) const {
    return parameters + at.weight;
  }
  [[nodiscard]] const float* bias(const affine_offsets& at) const { return parameters + at.bias; }

  void run(const job_list& work);
  /// Calls work(first position, positions, scratch) for every tile.
  template <class Work>
  void in_tiles(Work&& work) {
    workers.run(tiles, [&](std::size_t job, std::size_t worker) {
      const std::size_t first = job * tile;
      work(first, std::min(tile, positions - first), scratch[worker].data());
    });
  }
  /// Attention is cut by sequence and head: [B][H] jobs.
  [[nodiscard]] std::size_t attention_jobs() const { return sequences * heads; }

  /// Adds the jobs that pack a weight, its transpose, or both.
  void add_packing(job_list& work, packed_weight& to, const affine_offsets& at, bool packed,
                   bool transposed) const;
  /// c[n][out] = a[n][in] * w + bias, or added to c. c_stride is more than `out` where w is one of
  /// several weights side by side.
  void apply(const float* a, std::size_t n, const packed_weight& w, const float* bias, float* c,
             std::size_t c_stride, bool add, float* spare) const {
    products.matmul(a, w.in, w.packed.data(), n, w.in, w.out, c, c_stride, add, bias, spare);
  }
  /// c[n][in] = a[n][out] * transpose(w), or added to c.
  void apply_transposed(const float* a, std::size_t a_stride, std::size_t n, const packed_weight& w,
                        float* c, bool add, float* spare) const {
    products.matmul(a, a_stride, w.packed_transposed.data(), n, w.out, w.in, c, w.in, add, nullptr,
                    spare);
  }
  /// Adds the jobs that compute the gradient of a weight [in][out] at offset `to` of the
  /// gradients: transpose(input[T][in]) * d_output[T][out].
  void add_weight_gradient(job_list& work, const float* input, std::size_t in,
                           const float* d_output, std::size_t d_output_stride, std::size_t out,
                           std::size_t to) const;
  /// Adds the jobs that sum n columns of tile_sums, from column `from` on, over the tiles, and
  /// write them to offset `to` of the gradients.
  void add_tile_sums(job_list& work, std::size_t from, std::size_t n, std::size_t to) const;
};

}  // namespace soma::training
