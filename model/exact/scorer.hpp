// The engine that the network agrees on: loss and embedding of one network on pieces of data, bit
// for bit the same for every instruction set, number of threads and memory budget. Exact arithmetic
// is the definition; where it leaves a choice, this is it, and none may change without a new tag of
// the digest:
//
//   sqrt, division      correctly rounded, never replaced by an estimate
//   layer norm          mean = sum x / D; variance = sum (x - mean)^2 / D, square rounded, then
//                       added; y = fma((x - mean) * (1 / sqrt(variance + 1e-5)), gamma, beta)
//   rotary              angle = position * exp(-(2i/W) ln 10000), binary64; cosine and sine rounded
//                       to binary32; (a, b) -> (fma(a, c, -(b s)), fma(b, c, a s))
//   attention           score = (q . k) * (1 / sqrt(W)); weights e^(score - max); the sum over
//                       values, then times 1 / (sum of weights)
//   residual            x + (product + bias)
//   GELU                (x / 2) * (1 + erf(x * binary32(1/sqrt 2)))
//   cross-entropy       of a position: log(sum e^(logit - max)) - (logit of the target - max);
//   where
//                       there is no target, +0. Summed by §3 over the B*S positions of the batch in
//                       file order, divided by B*S
//   SIGReg              p = y . column of directions, §2; angle = p * t_1; one (cos, sin), then
//                       (c, s) -> (fma(c, c_1, -(s s_1)), fma(s, c_1, c s_1)); means over 256
//                       slices by §3; error = fma(c - phi, c - phi, s s); statistic = 256 * (sum
//                       over the 17 points of error * weight, §3); phi and weight are binary64
//                       rounded once. Summed over positions as above, divided by B*S
//   embedding           of a sequence: sum over its S positions by §3 / S; of a batch: sum over its
//                       sequences by §3 / B
//   loss of a batch     cross-entropy + binary32(0.02) * SIGReg
//   running means       m + (x - m) / n
//
// A network with sequences longer than a block, or S not a multiple of one, gives the same bits as
// if there were no blocks.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "model/exact/forward.hpp"
#include "model/exact/score.hpp"

namespace soma::exact {

struct engine_options {
  std::uint64_t budget_bytes = no_budget;
  bool again = true;  // keep packed layers for further runs
};

class engine {
 public:
  /// The view's memory must outlive the engine. Nothing is computed yet.
  engine(network_view network, std::shared_ptr<workspace> space, engine_options options);
  engine(const engine&) = delete;
  engine& operator=(const engine&) = delete;

  /// How a run over so much data would use memory; nullopt: not within the budget.
  [[nodiscard]] std::optional<memory_plan> plan(std::uint64_t sequences, std::uint32_t batch) const;

  /// One score an item; nullopt for an item that was given up. Weights are packed once for all of
  /// them. The plan must exist.
  [[nodiscard]] std::vector<std::optional<model::score>> run(std::span<const score_item> items,
                                                             std::uint32_t batch,
                                                             const progress_hook& hook = {});

  /// scoring_engine::next_byte_log_probs.
  [[nodiscard]] std::vector<float> next_byte_log_probs(byte_view context, std::uint32_t offset);

  [[nodiscard]] const workspace& space() const { return *space_; }

 private:
  network_view network_;
  std::shared_ptr<workspace> space_;
  engine_options options_;
  layer_store layers_;
};

}  // namespace soma::exact
