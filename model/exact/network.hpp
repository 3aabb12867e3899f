// The tensors of one network as they stand in its weights file, and the same packed in panels. The
// letters of shapes are those of ARITHMETIC.md.
#pragma once

#include <cstddef>
#include <vector>

#include "messages/values/architecture.hpp"
#include "model/exact/kernels.hpp"
#include "model/exact/tiles.hpp"

namespace soma::exact {

/// A linear layer: the weight [in][out], row after row, and the bias [out].
struct affine_view {
  const float* weight = nullptr;
  const float* bias = nullptr;
};
struct norm_view {
  const float* gamma = nullptr;
  const float* beta = nullptr;
};
struct layer_view {
  norm_view norm_1;
  affine_view query, key, value, output;
  norm_view norm_2;
  affine_view inner, outer;
};
/// The tensors lie in memory that the caller keeps, a mapped file for example.
struct network_view {
  model_architecture architecture;
  const float* embedding = nullptr;  // [V][D]
  std::vector<layer_view> layers;
  norm_view final_norm;
  affine_view predictor;
};

/// The floats that a matrix [depth][outputs] takes when it is packed.
[[nodiscard]] constexpr std::size_t packed_floats(std::size_t depth, std::size_t outputs,
                                                  std::size_t panel) {
  return depth * round_up(outputs, panel);
}

/// Where the packed matrices of one layer begin in a buffer of packed_layer_floats().
struct packed_layer {
  const float* query;
  const float* key;
  const float* value;
  const float* output;
  const float* inner;
  const float* outer;
};
[[nodiscard]] std::size_t packed_layer_floats(const model_architecture& arch, std::size_t panel);
[[nodiscard]] packed_layer packed_layer_at(const model_architecture& arch, std::size_t panel,
                                           const float* buffer);

/// Packs one layer into `buffer` with all threads of the pool.
void pack_layer(const model_architecture& arch, const layer_view& layer,
                const kernel_table& kernels, tile_pool& pool, float* buffer);
/// Packs one matrix with all threads of the pool.
void pack_matrix(const float* weight, std::size_t depth, std::size_t outputs,
                 const kernel_table& kernels, tile_pool& pool, float* buffer);

}  // namespace soma::exact
