// From the last layer to the losses of a sequence, and from those to a batch and a score. Inside
// the engine only.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/exact/forward.hpp"
#include "model/exact/score.hpp"
#include "model/exact/sums.hpp"

namespace soma::exact {

inline constexpr float sigreg_coefficient = 0.02f;  // arithmetic §5.9
[[nodiscard]] const sigreg_tables& sigreg_constants();

/// Computes the final norm, and the cross-entropy and SIGReg statistic of every position, for
/// sequences that went through the layers. `first` is the number of the first of them in the sweep;
/// all of them belong to one batch, whose packed directions are given. Afterwards x holds the
/// representation, and the losses of a sequence are its cross-entropies, then, padded_length floats
/// later, its statistics.
void measure_losses(forward_pass& pass, const network_view& network, workspace& space,
                    const float* predictor, const float* directions,
                    std::span<const sequence> sequences,
                    std::span<const std::span<const tokens::token>> targets, std::size_t first);

/// The embedding of a sequence (arithmetic §5.10), [D]: the mean (arithmetic §3.2) of its
/// representation over its positions.
void embed_sequence(const forward_pass& pass, std::size_t sequence, std::size_t tokens,
                    std::size_t dim, float* embedding);

/// The sums of a batch, until its last sequence has been added.
class batch_sums {
 public:
  explicit batch_sums(std::size_t dim) : embedding_(dim) {}
  void add(const float* cross_entropies, const float* statistics, const float* embedding,
           std::span<const tokens::token> targets);
  /// Folds the batch into the running means of `score` (arithmetic §5.11) and begins the next one.
  /// `number` is the batch's and counts from 1.
  void fold_into(score& score, std::uint64_t number);

  double bits = 0;              // the cost of all bytes predicted so far (arithmetic §5.12)
  std::uint64_t predicted = 0;  // how many they are

 private:
  lane_sum cross_entropy_;
  lane_sum sigreg_;
  std::vector<lane_sum> embedding_;
  std::size_t positions_ = 0;
  std::size_t sequences_ = 0;
};

}  // namespace soma::exact
