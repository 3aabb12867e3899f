// Sequences on their way through the layers of a network, several at a time. Inside the engine
// only.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/exact/memory_plan.hpp"
#include "model/exact/network.hpp"
#include "model/exact/workspace.hpp"
#include "model/tokens/tokens.hpp"

namespace soma::exact {

/// One sequence: 1 .. S tokens and their positions. The rest of its last block is filled up with
/// tokens that it never attends to.
struct sequence {
  std::span<const tokens::token> tokens;
  std::span<const std::uint32_t> positions;
};

/// The memory of a sweep, cut from the workspace: run_sizes of memory_plan.hpp, one after the
/// other.
struct sweep_memory {
  float* x;        // the residual stream
  float* q;        // queries, then what attention gives
  float* keys;     // packed
  float* values;   // packed
  float* angles;   // of the rotary embedding
  float* losses;   // cross-entropies and SIGReg statistics
  float* scratch;  // of all threads
  float* layer;    // one packed layer; null where all layers are kept
};

/// Packs layers when they are needed, and keeps them if the plan says so.
class layer_store {
 public:
  layer_store(const network_view& network, const kernel_table& kernels)
      : network_(network), kernels_(kernels) {}
  /// Layer `index`, packed. With `buffer` it is packed there; with null it is packed once and kept.
  [[nodiscard]] packed_layer get(std::size_t index, tile_pool& pool, float* buffer);
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

  /// Takes up to plan.sweep sequences through all layers. Then x holds the residual stream before
  /// the final norm.
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
  /// What one tile of work covers: `blocks` blocks of a sequence, from `block` on.
  struct tile_place {
    std::size_t sequence;
    std::size_t block;
    std::size_t blocks;
  };
  void embed(std::span<const sequence> sequences);
  void project_qkv_tile(const tile_place& at, unsigned worker, const layer_view&,
                        const packed_layer&);
  void attend_block(std::size_t sequence, std::size_t head, std::size_t block, unsigned worker);
  void feed_forward_tile(const tile_place& at, unsigned worker, const layer_view&,
                         const packed_layer&);
  /// out = x * w for `blocks` blocks that lie one after the other.
  void multiply(const float* panels, std::size_t depth, std::size_t outputs, const float* x,
                std::size_t x_rows, float* out, std::size_t out_rows, std::size_t blocks) const;

  [[nodiscard]] tile_place place_of(std::size_t tile) const;
  [[nodiscard]] std::size_t tiles_a_sequence() const {
    return (blocks_ + tile_blocks_ - 1) / tile_blocks_;
  }
  [[nodiscard]] float* q_block(std::size_t sequence, std::size_t block) const {
    return memory_.q + sequence * sizes_.q + block * block_tokens * padded_dim_;
  }
  [[nodiscard]] float* angles_block(std::size_t sequence, std::size_t block) const {
    return memory_.angles + sequence * sizes_.angles + block * block_tokens * head_dim_;
  }

  [[nodiscard]] float* head_keys(std::size_t sequence, std::size_t head) const {
    return memory_.keys + sequence * sizes_.keys +
           head * packed_floats(head_dim_, sizes_.padded_length, k_.panel);
  }
  [[nodiscard]] float* head_values(std::size_t sequence, std::size_t head) const {
    return memory_.values + sequence * sizes_.values +
           head * packed_floats(sizes_.padded_length, head_dim_, k_.panel);
  }

  const network_view& network_;
  workspace& space_;
  const kernel_table& k_;
  memory_plan plan_;
  run_sizes sizes_;
  sweep_memory memory_;
  std::vector<double> frequencies_;  // of the rotary embedding, [W/2]
  std::size_t dim_, heads_, head_dim_;
  std::size_t padded_dim_;  // dim_ rounded up to whole panels
  std::size_t ffn_;
  std::size_t tile_blocks_;
  std::size_t blocks_ = 0;  // of the longest sequence of this sweep
};

/// The floats of workspace memory that a plan needs.
[[nodiscard]] std::size_t workspace_floats(const model_architecture& arch, const memory_plan& plan,
                                           simd::isa set, unsigned threads);

}  // namespace soma::exact
