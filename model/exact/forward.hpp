// Sequences on their way through the layers of a network, several at a time. Inside of the engine.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/exact/network.hpp"
#include "model/exact/plan.hpp"
#include "model/exact/workspace.hpp"
#include "model/tokens/tokens.hpp"

namespace soma::exact {

/// One sequence: 1 .. S tokens and their positions. What follows them in the last block is filled
/// and never looked at by them.
struct sequence {
  std::span<const model::token> tokens;
  std::span<const std::uint32_t> positions;
};

/// Memory of a sweep, cut from the workspace. Letters and layouts: plan.hpp, kernels.hpp.
struct sweep_memory {
  float* x;
  float* q;
  float* keys;
  float* values;
  float* angles;
  float* losses;
  float* scratch;
  float* layer;  // one packed layer, where layers are not kept
};

/// Packs layers when they are needed, and keeps them if there is room.
class layer_store {
 public:
  layer_store(const network_view& network, const kernel_table& kernels)
      : network_(network), kernels_(kernels) {}
  /// Panels of layer `index`: kept ones, or packed into `once` when that is not null.
  [[nodiscard]] packed_layer get(std::size_t index, tile_pool& pool, float* once);
  [[nodiscard]] const float* predictor(tile_pool& pool);

 private:
  const network_view& network_;
  const kernel_table& kernels_;
  std::vector<float_buffer> kept_;
  float_buffer predictor_;
};

class forward_pass {
 public:
  forward_pass(const network_view& network, workspace& space, const memory_plan& plan);

  /// Takes up to plan.sweep sequences through all layers; x then holds what comes before the final
  /// norm.
  void run(std::span<const sequence> sequences, layer_store& layers);

  [[nodiscard]] const run_sizes& sizes() const { return sizes_; }
  [[nodiscard]] const sweep_memory& memory() const { return memory_; }
  [[nodiscard]] float* x_block(std::size_t sequence, std::size_t block) const {
    return memory_.x + sequence * sizes_.x + block * block_tokens * dim_;
  }
  [[nodiscard]] float* scratch(unsigned worker) const {
    return memory_.scratch + worker * sizes_.scratch;
  }

 private:
  struct tile_place {
    std::size_t sequence;
    std::size_t block;
    std::size_t blocks;
  };
  void embed(std::span<const sequence> sequences);
  void project_tile(const tile_place& at, unsigned worker, const layer_view&, const packed_layer&);
  void attend_block(std::size_t sequence, std::size_t head, std::size_t block, unsigned worker);
  void finish_tile(const tile_place& at, unsigned worker, const layer_view&, const packed_layer&);
  void keep_keys(const float* from, std::size_t sequence, std::size_t block);
  void keep_values(const float* from, std::size_t sequence, std::size_t block);
  /// out = x w over `blocks` blocks that lie one after the other.
  void multiply(const float* panels, std::size_t depth, std::size_t outputs, const float* x,
                std::size_t x_rows, float* out, std::size_t out_rows, std::size_t blocks) const;

  [[nodiscard]] tile_place place_of(std::size_t tile) const;
  [[nodiscard]] std::size_t tiles_a_sequence() const {
    return (blocks_ + tile_blocks - 1) / tile_blocks;
  }
  [[nodiscard]] float* q_block(std::size_t sequence, std::size_t block) const {
    return memory_.q + sequence * sizes_.q + block * block_tokens * wide_;
  }
  [[nodiscard]] float* angles_block(std::size_t sequence, std::size_t block) const {
    return memory_.angles + sequence * sizes_.angles + block * block_tokens * width_;
  }

  const network_view& network_;
  workspace& space_;
  const kernel_table& k_;
  memory_plan plan_;
  run_sizes sizes_;
  sweep_memory memory_;
  std::vector<double> inverse_wavelengths_;
  std::size_t dim_, heads_, width_, wide_, ffn_;
  std::size_t blocks_ = 0;  // of the longest sequence of this sweep
};

/// Floats of workspace memory that a plan asks for.
[[nodiscard]] std::size_t workspace_floats(const model_architecture& arch, const memory_plan& plan,
                                           isa set, unsigned threads);

}  // namespace soma::exact
