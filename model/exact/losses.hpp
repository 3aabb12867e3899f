// From the last layer to the losses of a sequence, and from those to a batch and a score. Inside of
// the engine.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/exact/forward.hpp"
#include "model/exact/score.hpp"
#include "model/exact/sums.hpp"

namespace soma::exact {

inline constexpr float sigreg_coefficient = 0.02f;
[[nodiscard]] const sigreg_tables& sigreg_constants();

/// Final norm, cross-entropy and SIGReg of every position of sequences that went through the
/// layers. Afterwards x holds the representation, and losses of sequence s:
/// [S] cross-entropies, then [S] statistics, each at a distance of `slots`.
void measure_losses(forward_pass& pass, const network_view& network, workspace& space,
                    const float* predictor, const float* directions,
                    std::span<const sequence> sequences,
                    std::span<const std::span<const model::token>> targets, std::size_t first);

/// Mean over the positions of a sequence of its representation: [D].
void embed_sequence(const forward_pass& pass, std::size_t sequence, std::size_t tokens,
                    std::size_t dim, float* embedding);

/// What is kept of a batch until its last sequence is through.
class batch_sums {
 public:
  explicit batch_sums(std::size_t dim) : embedding_(dim) {}
  void add(const float* cross_entropies, const float* statistics, const float* embedding,
           std::span<const model::token> targets);
  /// Folds the batch into the running means of `score`; `number` counts from 1.
  void fold_into(model::score& score, std::uint64_t number);

  double bits = 0;  // of all bytes predicted in all batches so far
  std::uint64_t predicted = 0;

 private:
  lane_sum cross_entropy_;
  lane_sum sigreg_;
  std::vector<lane_sum> embedding_;
  std::size_t positions_ = 0;
  std::size_t sequences_ = 0;
};

}  // namespace soma::exact
