// A contest of several models over one piece of data. It finds the winner by protocol §8.3, its
// loss, its distance from the target and the digests that prove the scores. Models are scored in
// the order in which their versions became active, so that the leader that a later one must beat is
// always known.
#pragma once

#include <span>
#include <vector>

#include "messages/codec/model_entry.hpp"
#include "messages/values/expected.hpp"
#include "model/scoring/engine.hpp"

namespace soma::scorer {

struct competitor {
  /// Made of the weights with the hash below; nullptr for a bad model, which takes part and loses.
  scoring::scoring_engine* engine = nullptr;
  model_architecture architecture;
  weights_hash weights;
  model_version_ref ref;
  std::uint64_t activation_order = 0;
};

struct contest {
  byte_view data;
  std::uint64_t seed = 0;
  std::span<const float> point;  // of the target; empty when no distance is wanted
  /// A model that can no longer win is given up. The winner, its score and its digest do not
  /// change.
  bool winner_only = false;
};

struct contest_entry {
  exact::score score;     // only if it was not given up
  hash256 digest;         // only if it was not given up
  bool given_up = false;  // also when the model is bad
};

inline constexpr std::uint32_t no_winner = UINT32_MAX;

struct contest_result {
  data_hash data;
  std::vector<contest_entry> entries;  // in the order of the competitors
  std::uint32_t winner = no_winner;    // no_winner when no score is valid
  /// From the winner's embedding to the point, in units of 2^-30. It is the farthest possible when
  /// one of them has no direction.
  std::uint32_t distance_q30 = 0;
};

/// Scores the data on all models. It refuses when the data can't be scored, or memory is short.
[[nodiscard]] expected<contest_result, scoring::score_refusal> compete(
    std::span<const competitor> competitors, const contest& what);

}  // namespace soma::scorer
