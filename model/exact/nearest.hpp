// An index of embeddings that is scanned whole: exact distances of points to every model, or the
// nearest few of each point. The same bits as the distance of two vectors (dot.hpp) on every
// instruction set, with every number of threads; no approximation, no tree.
//
// Models stand in slots, 32 slots a block, feature after feature: block[feature][slot], so one
// product of the engine's (kernels.hpp) serves 32 models and a scan reads memory once from one end
// to the other. Memory is 4 * dim + 4 bytes a slot and comes in chunks that never move, each a 32nd
// of what is there and at most `chunk_bytes`.
// A vector without a direction (zero, not finite, or beyond binary32 when squared) is far_q30 from
// everything.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <vector>

#include "model/exact/dot.hpp"
#include "model/exact/isa.hpp"
#include "model/exact/kernels.hpp"
#include "model/exact/tiles.hpp"

namespace soma::exact {

using embedding_slot = std::uint32_t;

/// Ordered by distance, then by slot.
struct neighbour {
  std::uint32_t distance_q30 = 0;
  embedding_slot slot = 0;
  friend auto operator<=>(const neighbour&, const neighbour&) = default;
};

class embedding_index {
 public:
  static constexpr std::size_t chunk_bytes = std::size_t{16} << 20;

  /// dim >= 1; the set must be available.
  explicit embedding_index(std::size_t dim, isa set = chosen_isa());

  /// Vectors have `dim` values. A removed slot is the next to be given out.
  embedding_slot insert(std::span<const float> embedding);
  void replace(embedding_slot slot, std::span<const float> embedding);
  void remove(embedding_slot slot);
  [[nodiscard]] std::vector<float> embedding(embedding_slot slot) const;

  [[nodiscard]] std::size_t dim() const { return dim_; }
  /// Models held, and one more than the highest slot ever given out.
  [[nodiscard]] std::size_t size() const { return norms_.size() - free_.size(); }
  [[nodiscard]] std::size_t slots() const { return norms_.size(); }
  /// All that was taken from the heap for them.
  [[nodiscard]] std::size_t memory_bytes() const;

  /// points: T x dim, row after row. out: T x slots(), far_q30 where no model is.
  void distances(std::span<const float> points, std::span<std::uint32_t> out,
                 tile_pool& pool) const;

  /// For each of T points its nearest models, `count` of them or as many as there are, nearest
  /// first. Memory: T * count * threads beside the packed points.
  [[nodiscard]] std::vector<std::vector<neighbour>> nearest(std::span<const float> points,
                                                            std::size_t count,
                                                            tile_pool& pool) const;

 private:
  struct freed {
    void operator()(float* at) const { ::operator delete (at, std::align_val_t{64}); }
  };
  class point_group;

  [[nodiscard]] float* column(embedding_slot slot) const {
    return blocks_[slot / block_tokens] + slot % block_tokens;
  }
  [[nodiscard]] bool holds(embedding_slot slot) const;
  void grow();
  /// take(point, first slot, distances of the slots of one block, worker) for all points and
  /// blocks, the blocks of a worker in ascending order within a tile.
  template <class Take>
  void scan(std::span<const float> points, tile_pool& pool, Take&& take) const;

  std::size_t dim_;
  const kernel_table* kernels_;
  std::vector<std::unique_ptr<float, freed>> chunks_;
  std::size_t chunk_blocks_ = 0;  // of all chunks
  float* next_block_ = nullptr;   // in the last chunk
  std::vector<float*> blocks_;    // that are in use
  std::vector<float> norms_;      // by slot; `removed` where no model is
  std::vector<embedding_slot> free_;
};

}  // namespace soma::exact
