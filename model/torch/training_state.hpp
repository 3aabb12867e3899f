// What the parts of a training pass share: its memory, where tensors stand, and how work is cut
// into pieces. Inside of model/torch only. Letters: T = N * S positions of a step, D, F, V, H, W.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <functional>
#include <memory>
#include <new>
#include <vector>

#include "model/torch/kernels.hpp"
#include "model/torch/network.hpp"
#include "model/torch/team.hpp"
#include "model/torch/training_pass.hpp"

namespace soma::model::twin {

/// Floats at a cache line's start, not initialised. Throws std::bad_alloc.
class float_buffer {
 public:
  float_buffer() = default;
  explicit float_buffer(std::size_t count);
  [[nodiscard]] float* get() const { return floats_.get(); }

 private:
  struct release {
    void operator()(float* floats) const { std::free(floats); }
  };
  std::unique_ptr<float[], release> floats_;
};

/// Offsets in the flat parameters, in floats.
struct affine_place {
  std::size_t weight = 0;  // linear: [in, out]; norm: gamma
  std::size_t bias = 0;
};
struct layer_place {
  affine_place norm_1, query, key, value, output, norm_2, inner, outer;
};
struct network_place {
  std::size_t embedding = 0;
  std::vector<layer_place> layers;
  affine_place final_norm, predictor;
};

/// A weight as products want it: itself for forward, its transpose for gradients.
struct packed_weight {
  std::size_t in = 0, out = 0;
  float_buffer own, across;
};

/// What one layer keeps for its gradient.
struct kept_layer {
  float_buffer qkv;       // [T, 3D]
  float_buffer attended;  // [T, D]
  float_buffer log_sums;  // [N, H, S]
  float_buffer middle;    // [T, D]: after attention was added
  float_buffer inner;     // [T, F]: before GELU; backward leaves GELU of it
};

/// Sums over the rows of a tile, later over tiles: where each begins in a tile's row of sums.
struct sum_places {
  std::size_t outer, inner, norm_2, output, qkv, norm_1, all;
  sum_places(std::size_t d, std::size_t f);
};

using piece = std::function<void(float* scratch)>;
using pieces = std::vector<piece>;

struct training_state {
  static constexpr std::size_t tile = 64;  // rows that go through a layer together
  static constexpr std::size_t vocab = model_architecture::vocab;
  static constexpr std::size_t sum_columns = 256;  // of one piece

  training_state(const model_architecture& arch, std::uint64_t positions,
                 const product_set& products, bool recompute, team& workers,
                 const kernel_set& kernel);

  std::size_t layers, d, f, heads;
  const kernel_set& kernel;
  const product_set& products;
  bool recompute;
  team& workers;
  network_place place;
  sum_places sums;
  rotary angles;  // [1, max_seq, 1, W/2]

  packed_weight query, key, value, output, inner, outer, predictor;
  std::vector<float_buffer> x;  // L+1 of [T, D]: what layers take and give
  std::vector<kept_layer> kept;
  float_buffer normed, pull, middle_pull, aside;  // [T, D]
  float_buffer inner_pull;                        // [T, F]
  float_buffer qkv_pull;                          // [T, 3D]
  float_buffer logits_pull;                       // [T, V]
  float_buffer tile_sums;                         // [tiles, sums.all]
  std::vector<double> tile_losses;
  std::vector<float_buffer> scratch;  // one a worker

  // Of the present step.
  std::size_t rows = 0, slots = 0, count = 0, tiles = 0;
  const float* parameters = nullptr;
  float* gradients = nullptr;

  [[nodiscard]] attention_shape shape() const { return {slots, heads, d / heads}; }
  [[nodiscard]] kept_layer& kept_of(std::size_t layer) { return kept[recompute ? 0 : layer]; }
  [[nodiscard]] float* sums_of(std::size_t first_row) const {
    return tile_sums.get() + first_row / tile * sums.all;
  }
  [[nodiscard]] const float* weight(const affine_place& at) const { return parameters + at.weight; }
  [[nodiscard]] const float* bias(const affine_place& at) const { return parameters + at.bias; }

  void run(const pieces& work);
  /// work(first row, rows, scratch) for every tile.
  template <class Work>
  void in_tiles(Work&& work) {
    workers.run(tiles, [&](std::size_t job, std::size_t worker) {
      const std::size_t first = job * tile;
      work(first, std::min(tile, count - first), scratch[worker].get());
    });
  }
  [[nodiscard]] std::size_t attention_items() const { return rows * heads; }

  void add_packing(pieces& work, packed_weight& to, const affine_place& at, bool own,
                   bool across) const;
  /// c = a * w + bias, or added to; c_stride: where w is one of several side by side.
  void apply(const float* a, std::size_t n, const packed_weight& w, const float* bias, float* c,
             std::size_t c_stride, bool add, float* spare) const {
    products.multiply(a, w.in, w.own.get(), n, w.in, w.out, c, c_stride, add, bias, spare);
  }
  /// c = a * transpose of w, or added to.
  void apply_across(const float* a, std::size_t a_stride, std::size_t n, const packed_weight& w,
                    float* c, bool add, float* spare) const {
    products.multiply(a, a_stride, w.across.get(), n, w.out, w.in, c, w.in, add, nullptr, spare);
  }
  /// The gradient of a weight [in][out] from what went in and the pull on what came out.
  void add_weight_gradient(pieces& work, const float* input, std::size_t in,
                           const float* output_pull, std::size_t output_stride, std::size_t out,
                           std::size_t weight) const;
  /// gradients[to..] = the sums over tiles of columns from.. of tile_sums.
  void add_sums(pieces& work, std::size_t from, std::size_t n, std::size_t to) const;
};

}  // namespace soma::model::twin
