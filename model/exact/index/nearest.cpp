#include "model/exact/index/nearest.hpp"

#include <algorithm>

#include "messages/values/assert.hpp"
#include "model/exact/float_state.hpp"

namespace soma::exact {
namespace {

/// Stands for the norm where a slot has no model.
constexpr float removed = -1;

/// More points than this are taken in groups of at most so many, so that packed points stay in a
/// cache. With so many points the arithmetic takes far longer than reading the models again.
constexpr std::size_t points_at_once = 256;

/// So few points are not packed: they are multiplied with a block while it comes from memory.
constexpr std::size_t few_points = 8;

/// A tile of blocks is multiplied with all points of a group before the next tile is read.
constexpr std::size_t tile_bytes = std::size_t{2} << 20;

/// Computes the distances of one point to the models of one block.
void finish(const float* products, const float* norms, float point_norm, std::uint32_t* distances) {
  for (std::size_t m = 0; m < block_tokens; ++m) {
    distances[m] = q30_or_far(products[m], norms[m], point_norm);
  }
}

/// Keeps the `most` smallest neighbours of all that are offered.
class shortlist {
 public:
  void offer(const neighbour& one, std::size_t most) {
    if (held_.size() < most) {
      held_.push_back(one);
      std::push_heap(held_.begin(), held_.end());
    } else if (one < held_.front()) {
      std::pop_heap(held_.begin(), held_.end());
      held_.back() = one;
      std::push_heap(held_.begin(), held_.end());
    }
  }
  [[nodiscard]] bool is_full(std::size_t most) const { return held_.size() == most; }
  /// The largest distance in a full list. A farther neighbour does not get in; at the same distance
  /// one with a lower slot does.
  [[nodiscard]] std::uint32_t farthest() const { return held_.front().distance_q30; }
  [[nodiscard]] const std::vector<neighbour>& held() const { return held_; }

 private:
  std::vector<neighbour> held_;  // a heap, the farthest first
};

}  // namespace

/// A group of points, packed unless they are few, and their norms.
class embedding_index::point_group {
 public:
  point_group(const kernel_table& kernels, const float* points, std::size_t count, std::size_t dim)
      : kernels_(kernels), points_(points), count_(count), dim_(dim), norms_(count) {
    for (std::size_t t = 0; t < count; ++t) {
      const float* const point = points + t * dim;
      norms_[t] = norm_of(dot(point, point, dim));
    }
    if (count > few_points) pack();
  }

  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] float norm(std::size_t point) const { return norms_[point]; }

  /// The floats that multiply() writes for one block: [count][block_tokens], with count rounded up
  /// to panels.
  [[nodiscard]] std::size_t product_floats() const {
    return round_up(count_, kernels_.panel) * block_tokens;
  }
  /// How many blocks multiply() should take at once: as packed points come from a farther cache
  /// than a block, several blocks share them.
  [[nodiscard]] std::size_t blocks_at_once() const { return panels_.empty() ? 1 : 8; }
  /// Multiplies all points with `blocks` blocks that lie one after the other.
  void multiply(const float* block, std::size_t blocks, float* products) const {
    if (panels_.empty()) return kernels_.scan(block, points_, dim_, count_, dim_, products);
    kernels_.multiply({.panels = panels_.data(),
                       .panel_stride = kernels_.panel * dim_,
                       .outputs = count_,
                       .x = block,
                       .x_stride = dim_ * block_tokens,
                       .out = products,
                       .out_stride = product_floats(),
                       .blocks = blocks,
                       .depth = dim_,
                       .fresh = true});
  }

 private:
  void pack() {
    std::vector<float> transposed(dim_ * count_);  // [dim][count], like a weight
    for (std::size_t t = 0; t < count_; ++t) {
      for (std::size_t k = 0; k < dim_; ++k) transposed[k * count_ + t] = points_[t * dim_ + k];
    }
    const std::size_t rows = round_up(count_, kernels_.panel);
    panels_.resize(rows * dim_);
    kernels_.pack(transposed.data(), dim_, count_, count_, 0, rows / kernels_.panel,
                  panels_.data());
  }

  const kernel_table& kernels_;
  const float* points_;
  std::size_t count_;
  std::size_t dim_;
  std::vector<float> panels_;
  std::vector<float> norms_;
};

embedding_index::embedding_index(std::size_t dim, simd::isa set)
    : dim_(dim), kernels_(&kernels_for(set)) {
  SOMA_ASSERT(dim >= 1, "an embedding has values");
}

bool embedding_index::holds(embedding_slot slot) const {
  return slot < norms_.size() && norms_[slot] != removed;
}

void embedding_index::grow() {
  const std::size_t block_floats = dim_ * block_tokens;
  if (blocks_.size() == chunk_blocks_) {
    const std::size_t most = std::max<std::size_t>(1, chunk_bytes / (block_floats * sizeof(float)));
    const std::size_t count = std::clamp<std::size_t>(chunk_blocks_ / 32, 1, most);
    chunks_.emplace_back(static_cast<float*>(
        ::operator new (count* block_floats * sizeof(float), std::align_val_t{64})));
    chunk_blocks_ += count;
    next_block_ = chunks_.back().get();
  }
  std::fill_n(next_block_, block_floats, 0.0f);
  blocks_.push_back(next_block_);
  next_block_ += block_floats;
}

embedding_slot embedding_index::insert(std::span<const float> embedding) {
  embedding_slot slot = 0;
  if (!free_.empty()) {
    slot = free_.back();
    free_.pop_back();
  } else {
    SOMA_ASSERT(norms_.size() < UINT32_MAX, "slots are counted in 32 bits");
    if (norms_.size() == blocks_.size() * block_tokens) grow();
    slot = static_cast<embedding_slot>(norms_.size());
    norms_.push_back(no_norm);
  }
  norms_[slot] = no_norm;
  replace(slot, embedding);
  return slot;
}

void embedding_index::replace(embedding_slot slot, std::span<const float> embedding) {
  SOMA_ASSERT(holds(slot), "only a model that is held can be replaced");
  SOMA_ASSERT(embedding.size() == dim_, "an embedding has the index's dimension");
  const float_state_guard exact_rounding;
  norms_[slot] = norm_of(dot(embedding.data(), embedding.data(), dim_));
  float* const to = column(slot);
  for (std::size_t k = 0; k < dim_; ++k) to[k * block_tokens] = embedding[k];
}

void embedding_index::remove(embedding_slot slot) {
  SOMA_ASSERT(holds(slot), "only a model that is held can be removed");
  norms_[slot] = removed;
  free_.push_back(slot);
}

std::vector<float> embedding_index::embedding(embedding_slot slot) const {
  SOMA_ASSERT(holds(slot), "only a model that is held has an embedding");
  std::vector<float> values(dim_);
  const float* const from = column(slot);
  for (std::size_t k = 0; k < dim_; ++k) values[k] = from[k * block_tokens];
  return values;
}

std::size_t embedding_index::memory_bytes() const {
  return chunk_blocks_ * block_tokens * dim_ * sizeof(float) + chunks_.capacity() * sizeof(float*) +
         blocks_.capacity() * sizeof(float*) + norms_.capacity() * sizeof(float) +
         free_.capacity() * sizeof(embedding_slot);
}

/// Calls take(point, distances) with the distances of each point to the models of block b.
template <class Take>
void embedding_index::finish_block(const point_group& group, const float* products, std::size_t b,
                                   Take&& take) const {
  float norms[block_tokens];
  const std::size_t here = std::min(block_tokens, norms_.size() - b * block_tokens);
  std::fill(std::copy_n(norms_.data() + b * block_tokens, here, norms), norms + block_tokens,
            removed);
  for (std::size_t t = 0; t < group.count(); ++t) {
    std::uint32_t distances[block_tokens];
    finish(products + t * block_tokens, norms, group.norm(t), distances);
    take(t, std::span<const std::uint32_t>(distances, here));
  }
}

template <class Take>
void embedding_index::scan(std::span<const float> points, tile_pool& pool, Take&& take) const {
  SOMA_ASSERT(points.size() % dim_ == 0, "points have the index's dimension");
  const float_state_guard exact_rounding;
  const std::size_t total = points.size() / dim_;
  const std::size_t groups = (total + points_at_once - 1) / points_at_once;
  const std::size_t tile_blocks =
      std::max<std::size_t>(1, tile_bytes / (dim_ * block_tokens * sizeof(float)));
  const std::size_t tiles = (blocks_.size() + tile_blocks - 1) / tile_blocks;
  std::vector<std::vector<float>> products(pool.threads());
  for (std::size_t g = 0; g < groups; ++g) {
    const std::size_t first = total * g / groups;
    const point_group group(*kernels_, points.data() + first * dim_,
                            total * (g + 1) / groups - first, dim_);
    const std::size_t most = group.blocks_at_once();
    for (auto& product : products) product.resize(most * group.product_floats());
    pool.run(tiles, [&](std::size_t tile, unsigned worker) {
      float* const out = products[worker].data();
      const std::size_t end = std::min(blocks_.size(), (tile + 1) * tile_blocks);
      for (std::size_t b = tile * tile_blocks; b < end;) {
        std::size_t count = 1;
        while (count < most && b + count < end &&
               blocks_[b + count] == blocks_[b] + count * dim_ * block_tokens) {
          ++count;
        }
        group.multiply(blocks_[b], count, out);
        for (std::size_t i = 0; i < count; ++i, ++b) {
          finish_block(group, out + i * group.product_floats(), b, [&](auto point, auto distances) {
            take(first + point, b * block_tokens, distances, worker);
          });
        }
      }
    });
  }
}

void embedding_index::distances(std::span<const float> points, std::span<std::uint32_t> out,
                                tile_pool& pool) const {
  SOMA_ASSERT(out.size() * dim_ == points.size() * slots(),
              "there is a distance for each point and slot");
  scan(points, pool,
       [&](std::size_t point, std::size_t slot, std::span<const std::uint32_t> found, unsigned) {
         std::copy(found.begin(), found.end(), out.data() + point * slots() + slot);
       });
}

std::vector<std::vector<neighbour>> embedding_index::nearest(std::span<const float> points,
                                                             std::size_t count,
                                                             tile_pool& pool) const {
  const std::size_t total = points.size() / dim_;
  const std::size_t most = std::min(count, size());
  std::vector<std::vector<neighbour>> all(total);
  if (most == 0) return all;
  std::vector<shortlist> lists(total * pool.threads());
  scan(points, pool,
       [&](std::size_t point, std::size_t first, std::span<const std::uint32_t> found,
           unsigned worker) {
         auto& list = lists[point * pool.threads() + worker];
         std::uint32_t bound = list.is_full(most) ? list.farthest() : UINT32_MAX;
         for (std::size_t m = 0; m < found.size(); ++m) {
           if (found[m] > bound || norms_[first + m] == removed) continue;
           list.offer({found[m], static_cast<embedding_slot>(first + m)}, most);
           if (list.is_full(most)) bound = list.farthest();
         }
       });
  for (std::size_t t = 0; t < total; ++t) {
    auto& best = all[t];
    for (unsigned w = 0; w < pool.threads(); ++w) {
      const auto& held = lists[t * pool.threads() + w].held();
      best.insert(best.end(), held.begin(), held.end());
    }
    std::sort(best.begin(), best.end());
    best.resize(most);
  }
  return all;
}

}  // namespace soma::exact
