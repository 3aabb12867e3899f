#include "model/exact/memory_plan.hpp"

#include <algorithm>

#include "messages/values/assert.hpp"
#include "model/exact/network.hpp"

namespace soma::exact {
namespace {

constexpr std::size_t vocab = model_architecture::vocab;

/// What a sweep's activations may take so that they stay in the last cache from one layer to the
/// next. More sequences at once would only be written to memory and read back.
constexpr std::uint64_t cached_bytes = std::uint64_t{8} << 20U;

memory_plan with(const plan_request& r, const run_sizes& s, bool keeps_layers,
                 std::uint64_t sweep) {
  memory_plan plan;
  plan.keeps_layers = keeps_layers;
  plan.sweep = static_cast<std::uint32_t>(sweep);
  const std::uint64_t layers = keeps_layers ? r.architecture.layers : 1;
  plan.packed_bytes = 4 * (layers * s.layer + s.predictor);
  plan.activation_bytes = 4 * sweep * (s.x + s.q + s.keys + s.values + s.angles + s.losses);
  plan.scratch_bytes = 4 * (r.threads * s.scratch);
  // The directions are counted twice: the noise is drawn in full before it is packed.
  plan.batch_bytes =
      4 * (2 * s.directions + std::uint64_t{r.batch} * (s.losses + r.architecture.dim));
  return plan;
}

}  // namespace

run_sizes sizes_of(const model_architecture& arch, simd::isa set) {
  const auto& kernels = kernels_for(set);
  run_sizes s{};
  s.panel = kernels.panel;
  const std::size_t d = arch.dim;
  const std::size_t head_dim = d / arch.heads;
  const std::size_t wide = round_up(d, s.panel);
  s.padded_length = round_up(arch.max_seq, block_tokens);
  s.blocks = s.padded_length / block_tokens;
  s.layer = packed_layer_floats(arch, s.panel);
  s.predictor = packed_floats(d, vocab, s.panel);
  s.directions = packed_floats(d, sigreg_slices, s.panel);
  s.x = s.padded_length * d;
  s.q = s.padded_length * wide;
  s.keys = arch.heads * packed_floats(head_dim, s.padded_length, s.panel);
  s.values = arch.heads * packed_floats(s.padded_length, head_dim, s.panel);
  s.angles = s.padded_length * head_dim;
  s.losses = 2 * s.padded_length;
  const std::size_t tile = tile_blocks(d) * block_tokens;
  const std::size_t chunk = round_up(std::min<std::size_t>(arch.ffn, ffn_chunk), s.panel);
  const std::size_t layer_scratch = tile * (d + wide + chunk);
  const std::size_t loss_scratch =
      block_tokens * (d + round_up(vocab, s.panel) + round_up(sigreg_slices, s.panel)) +
      sigreg_scratch;
  s.scratch = round_up(
      std::max({layer_scratch, loss_scratch, kernels.attention_scratch(head_dim, s.padded_length)}),
      16);
  return s;
}

std::optional<memory_plan> plan_memory(const plan_request& request) {
  SOMA_ASSERT(is_valid(request.architecture) && request.batch >= 1 && request.threads >= 1,
              "a plan is for a network, a batch and a thread");
  const run_sizes s = sizes_of(request.architecture, request.set);
  const std::uint64_t sequences = std::max<std::uint64_t>(request.sequences, 1);
  const auto fits = [&](const memory_plan& plan) {
    return plan.total_bytes() <= request.budget_bytes;
  };
  // Once the layers stay packed, more than a batch at once gains nothing.
  const std::uint64_t busy = 2 * std::uint64_t{request.threads};
  const std::uint64_t enough =
      std::min<std::uint64_t>(sequences, std::max(std::uint64_t{request.batch}, busy));
  const bool worth_keeping = request.keep_packed || sequences > enough;
  if (worth_keeping) {
    const std::uint64_t cached = cached_bytes / with(request, s, true, 1).activation_bytes;
    const std::uint64_t most = std::min(enough, std::max(cached, busy));
    const std::uint64_t least = std::min<std::uint64_t>(most, request.threads);
    for (std::uint64_t sweep = most; sweep >= least; --sweep) {
      if (const auto plan = with(request, s, true, sweep); fits(plan)) return plan;
    }
  }
  // With one layer at a time, the cost of packing it is shared by the sequences of a sweep. Four
  // batches make that cost small.
  for (std::uint64_t sweep = std::min(sequences, 4 * enough); sweep >= 1; --sweep) {
    if (const auto plan = with(request, s, false, sweep); fits(plan)) return plan;
  }
  return std::nullopt;
}

std::uint64_t least_memory_bytes(const plan_request& request) {
  return with(request, sizes_of(request.architecture, request.set), false, 1).total_bytes();
}

}  // namespace soma::exact
