#include "model/exact/plan.hpp"

#include <algorithm>

#include "model/exact/network.hpp"

namespace soma::exact {
namespace {

constexpr std::size_t vocab = model_architecture::vocab;

memory_plan with(const plan_request& r, const run_sizes& s, bool keeps_layers,
                 std::uint64_t sweep) {
  memory_plan plan;
  plan.keeps_layers = keeps_layers;
  plan.sweep = static_cast<std::uint32_t>(sweep);
  const std::uint64_t layers = keeps_layers ? r.architecture.layers : 1;
  plan.packed_bytes = 4 * (layers * s.layer + s.predictor);
  plan.activation_bytes = 4 * sweep * (s.x + s.q + s.keys + s.values + s.angles + s.losses);
  plan.scratch_bytes = 4 * (r.threads * s.scratch);
  // The noise is drawn whole before it is packed.
  plan.batch_bytes =
      4 * (2 * s.directions + std::uint64_t{r.batch} * (s.losses + r.architecture.dim));
  return plan;
}

}  // namespace

run_sizes sizes_of(const model_architecture& arch, isa set) {
  const auto& kernels = kernels_for(set);
  run_sizes s{};
  s.panel = kernels.panel;
  const std::size_t d = arch.dim;
  const std::size_t width = d / arch.heads;
  const std::size_t wide = round_up(d, s.panel);
  s.slots = round_up(arch.max_seq, block_tokens);
  s.blocks = s.slots / block_tokens;
  s.layer = packed_layer_floats(arch, s.panel);
  s.predictor = packed_floats(d, vocab, s.panel);
  s.directions = packed_floats(d, sigreg_slices, s.panel);
  s.x = s.slots * d;
  s.q = s.slots * wide;
  s.keys = arch.heads * packed_floats(width, s.slots, s.panel);
  s.values = arch.heads * packed_floats(s.slots, width, s.panel);
  s.angles = s.slots * width;
  s.losses = 2 * s.slots;
  const std::size_t tile = tile_blocks * block_tokens;
  const std::size_t chunk = round_up(std::min<std::size_t>(arch.ffn, ffn_chunk), s.panel);
  const std::size_t layer_scratch = tile * (d + wide + chunk);
  const std::size_t loss_scratch =
      block_tokens * (d + round_up(vocab, s.panel) + round_up(sigreg_slices, s.panel)) +
      sigreg_scratch;
  s.scratch = round_up(
      std::max({layer_scratch, loss_scratch, kernels.attention_scratch(width, s.slots)}), 16);
  return s;
}

std::optional<memory_plan> plan_memory(const plan_request& request) {
  const run_sizes s = sizes_of(request.architecture, request.set);
  const std::uint64_t sequences = std::max<std::uint64_t>(request.sequences, 1);
  const auto fits = [&](const memory_plan& plan) {
    return plan.total_bytes() <= request.budget_bytes;
  };
  // More than a batch at once buys nothing once the layers stay packed.
  const std::uint64_t enough = std::min<std::uint64_t>(
      sequences, std::max(std::uint64_t{request.batch}, 2 * std::uint64_t{request.threads}));
  const bool worth_keeping = request.again || sequences > enough;
  if (worth_keeping) {
    const std::uint64_t least = std::min<std::uint64_t>(enough, request.threads);
    for (std::uint64_t sweep = enough; sweep >= least; --sweep) {
      if (const auto plan = with(request, s, true, sweep); fits(plan)) return plan;
    }
  }
  // One layer at a time: the more sequences it serves, the better. Four batches make packing cheap.
  for (std::uint64_t sweep = std::min(sequences, 4 * enough); sweep >= 1; --sweep) {
    if (const auto plan = with(request, s, false, sweep); fits(plan)) return plan;
  }
  return std::nullopt;
}

std::uint64_t least_memory_bytes(const plan_request& request) {
  return with(request, sizes_of(request.architecture, request.set), false, 1).total_bytes();
}

}  // namespace soma::exact
