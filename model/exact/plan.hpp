// How much memory a run takes, known before anything is loaded. All sizes in bytes of anonymous
// memory; the weights themselves stay in their file and do not count.
#pragma once

#include <cstdint>
#include <optional>

#include "messages/types/architecture.hpp"
#include "model/exact/isa.hpp"

namespace soma::exact {

inline constexpr std::uint64_t no_budget = UINT64_MAX;

/// What is asked of a plan.
struct plan_request {
  model_architecture architecture;
  std::uint64_t sequences = 1;  // that are to be scored, of all data together
  std::uint32_t batch = 16;     // sequences a batch
  unsigned threads = 1;
  isa set = isa::portable;
  bool again = false;  // the same weights will be asked again: packed layers are worth keeping
  std::uint64_t budget_bytes = no_budget;
};

struct memory_plan {
  bool keeps_layers = false;           // all layers stay packed; otherwise one at a time
  std::uint32_t sweep = 1;             // sequences that go through the layers together
  std::uint64_t packed_bytes = 0;      // weights in panels
  std::uint64_t activation_bytes = 0;  // of the sequences of a sweep
  std::uint64_t scratch_bytes = 0;     // of the threads
  std::uint64_t batch_bytes = 0;       // losses and embeddings of a batch, SIGReg's directions
  [[nodiscard]] std::uint64_t total_bytes() const {
    return packed_bytes + activation_bytes + scratch_bytes + batch_bytes;
  }
};

/// The fastest plan within the budget; nullopt when none is.
[[nodiscard]] std::optional<memory_plan> plan_memory(const plan_request& request);
/// The least budget with which plan_memory has an answer.
[[nodiscard]] std::uint64_t least_memory_bytes(const plan_request& request);

// ---- the sizes that the plan is made of, in floats; the engine allocates by the same functions

/// Blocks of tokens that one tile of work takes through the products of a layer.
inline constexpr std::size_t tile_blocks = 4;
/// Outputs of the inner matrix that are computed, and taken into the outer product, at a time: a
/// multiple of every panel.
inline constexpr std::size_t ffn_chunk = 480;

struct run_sizes {
  std::size_t panel;
  std::size_t slots;       // S rounded up to whole blocks
  std::size_t blocks;      // of a sequence
  std::size_t layer;       // one packed layer
  std::size_t predictor;   // packed
  std::size_t directions;  // packed
  std::size_t x;           // of a sequence: [blocks][D][block_tokens]
  std::size_t q;           // of a sequence: [blocks][D in whole panels][block_tokens]
  std::size_t keys;        // of a sequence, all heads
  std::size_t values;      // of a sequence, all heads
  std::size_t angles;      // of a sequence: cosines and sines
  std::size_t losses;      // of a sequence: two per slot
  std::size_t scratch;     // of a thread
};
[[nodiscard]] run_sizes sizes_of(const model_architecture& arch, isa set);

}  // namespace soma::exact
