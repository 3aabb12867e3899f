// How much memory a run takes, known before anything is loaded. Sizes are in bytes of anonymous
// memory. The weights themselves stay in their file and do not count.
#pragma once

#include <cstdint>
#include <optional>

#include "messages/values/architecture.hpp"
#include "model/simd/isa.hpp"

namespace soma::exact {

inline constexpr std::uint64_t no_budget = UINT64_MAX;

struct plan_request {
  model_architecture architecture;
  std::uint64_t sequences = 1;  // of all data together
  std::uint32_t batch = 16;     // sequences a batch
  unsigned threads = 1;
  simd::isa set = simd::isa::portable;
  bool keep_packed = false;  // more runs over the same weights follow: packed layers are kept
  std::uint64_t budget_bytes = no_budget;
};

struct memory_plan {
  bool keeps_layers = false;           // all layers stay packed; otherwise one is, at a time
  std::uint32_t sweep = 1;             // sequences that go through the layers together
  std::uint64_t packed_bytes = 0;      // packed weights
  std::uint64_t activation_bytes = 0;  // activations of the sequences of a sweep
  std::uint64_t scratch_bytes = 0;     // scratch of all threads
  std::uint64_t batch_bytes = 0;       // losses and embeddings of a batch, and SIGReg's directions
  [[nodiscard]] std::uint64_t total_bytes() const {
    return packed_bytes + activation_bytes + scratch_bytes + batch_bytes;
  }
};

/// The fastest plan within the budget; nullopt if there is none.
[[nodiscard]] std::optional<memory_plan> plan_memory(const plan_request& request);
/// The smallest budget for which plan_memory has a plan.
[[nodiscard]] std::uint64_t least_memory_bytes(const plan_request& request);

// ---- The sizes that a plan is made of. The engine allocates by the same functions.

/// Blocks of tokens that one tile of work takes through the products of a layer. The weights of a
/// wide layer come from far away, so more blocks share them.
[[nodiscard]] constexpr std::size_t tile_blocks(std::size_t dim) {
  return dim < 1'024 ? 4 : 8;
}
/// The hidden features of the feed-forward part that are computed and multiplied on at a time: a
/// multiple of every panel.
inline constexpr std::size_t ffn_chunk = 480;

/// Sizes in floats, except for the first three. "Packed" means in panels, see kernels.hpp.
struct run_sizes {
  std::size_t panel;
  std::size_t padded_length;  // S rounded up to whole blocks
  std::size_t blocks;         // of a sequence
  std::size_t layer;          // one packed layer
  std::size_t predictor;      // the packed predictor
  std::size_t directions;     // SIGReg's directions, packed
  std::size_t x;              // one sequence: [blocks][D][block_tokens]
  std::size_t q;              // one sequence: [blocks][D in whole panels][block_tokens]
  std::size_t keys;           // one sequence, all heads, packed
  std::size_t values;         // one sequence, all heads, packed
  std::size_t angles;         // one sequence: rotary cosines and sines
  std::size_t losses;         // one sequence: a cross-entropy and a SIGReg statistic a token
  std::size_t scratch;        // one thread
};
[[nodiscard]] run_sizes sizes_of(const model_architecture& arch, simd::isa set);

}  // namespace soma::exact
