// An index of embeddings that is scanned from end to end: the exact distances of points to every
// model, or the nearest few models of each point. Its bits are those of the distance of two vectors
// (dot.hpp), on every instruction set and with every number of threads. There is no approximation
// and no tree.
//
// Models have slots, 32 slots a block, which is laid out feature after feature,
// block[feature][slot]. So one product of the engine (kernels.hpp) serves 32 models, and a scan
// reads memory once. Memory is 4 * dim + 4 bytes a slot. It comes in chunks that never move; each
// new chunk is a 32nd of what is there, and at most `chunk_bytes`.
//
// A vector without a direction (arithmetic §8.1) is at the distance far_q30 from everything.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <vector>

#include "model/exact/index/dot.hpp"
#include "model/exact/kernels.hpp"
#include "model/exact/tiles.hpp"
#include "model/simd/isa.hpp"

namespace soma::exact {

using embedding_slot = std::uint32_t;

/// Neighbours are ordered by distance, then by slot.
struct neighbour {
  std::uint32_t distance_q30 = 0;
  embedding_slot slot = 0;
  friend auto operator<=>(const neighbour&, const neighbour&) = default;
};

class embedding_index {
 public:
  static constexpr std::size_t chunk_bytes = std::size_t{16} << 20;

  /// `dim` is at least 1, and the processor can run `set`.
  explicit embedding_index(std::size_t dim, simd::isa set = simd::chosen_isa());

  /// Embeddings have `dim` values. The slot that was removed last is the next to be given out.
  embedding_slot insert(std::span<const float> embedding);
  void replace(embedding_slot slot, std::span<const float> embedding);
  void remove(embedding_slot slot);
  [[nodiscard]] std::vector<float> embedding(embedding_slot slot) const;

  [[nodiscard]] std::size_t dim() const { return dim_; }
  /// The number of models held, and one more than the highest slot ever given out.
  [[nodiscard]] std::size_t size() const { return norms_.size() - free_.size(); }
  [[nodiscard]] std::size_t slots() const { return norms_.size(); }
  /// All memory that the index has taken from the heap.
  [[nodiscard]] std::size_t memory_bytes() const;

  /// Distances of T points [T][dim] to all slots: out[T][slots()], far_q30 for a slot without
  /// model.
  void distances(std::span<const float> points, std::span<std::uint32_t> out,
                 tile_pool& pool) const;

  /// For each of T points [T][dim] its nearest models, the nearest first: `count` of them, or as
  /// many as there are. Takes memory for T * count * threads neighbours beside the packed points.
  [[nodiscard]] std::vector<std::vector<neighbour>> nearest(std::span<const float> points,
                                                            std::size_t count,
                                                            tile_pool& pool) const;

 private:
  struct freed {
    void operator()(float* at) const { ::operator delete (at, std::align_val_t{64}); }
  };
  class point_group;
  template <class Take>
  void finish_block(const point_group& group, const float* products, std::size_t block,
                    Take&& take) const;

  [[nodiscard]] float* column(embedding_slot slot) const {
    return blocks_[slot / block_tokens] + slot % block_tokens;
  }
  [[nodiscard]] bool holds(embedding_slot slot) const;
  void grow();
  /// Calls take(point, first slot, distances of the slots of one block, worker) for all points and
  /// blocks. Within a tile the blocks come in ascending order.
  template <class Take>
  void scan(std::span<const float> points, tile_pool& pool, Take&& take) const;

  std::size_t dim_;
  const kernel_table* kernels_;
  std::vector<std::unique_ptr<float, freed>> chunks_;
  std::size_t chunk_blocks_ = 0;  // blocks of all chunks
  float* next_block_ = nullptr;   // in the last chunk
  std::vector<float*> blocks_;    // the blocks in use
  std::vector<float> norms_;      // by slot; `removed` where there is no model
  std::vector<embedding_slot> free_;
};

}  // namespace soma::exact
