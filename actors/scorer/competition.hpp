// A contest of several models over one piece of data: which one wins by protocol §8.3, with which
// loss, how far from the target, and the digests that prove it. Models are scored in the order in
// which they first became active, so the leader that a later one must beat is always known.
#pragma once

#include <span>
#include <vector>

#include "messages/codec/model_entry.hpp"
#include "messages/values/expected.hpp"
#include "model/scoring/engine.hpp"

namespace soma::scorer {

struct competitor {
  scoring::scoring_engine* engine = nullptr;  // of exactly these weights
  model_architecture architecture;
  weights_hash weights;
  model_version_ref ref;
  std::uint64_t activation_order = 0;
};

struct contest {
  byte_view data;
  std::uint64_t seed = 0;
  std::span<const float> point;  // of the target; empty: no distance is wanted
  /// Gives up a model that can no longer win. The winner, its score and its digest are the same.
  bool winner_only = false;
};

struct contest_entry {
  exact::score score;  // not there when given up
  hash256 digest;      // likewise
  bool given_up = false;
};

inline constexpr std::uint32_t no_winner = UINT32_MAX;

struct contest_result {
  data_hash data;
  std::vector<contest_entry> entries;  // in the order of the competitors
  std::uint32_t winner = no_winner;    // none when no score is valid
  std::uint32_t distance_q30 = 0;      // of the winner's embedding to the point; farthest possible
                                       // where either has no direction
};

/// Refused when the data cannot be scored at all, or there is not enough memory.
[[nodiscard]] expected<contest_result, scoring::score_refusal> compete(
    std::span<const competitor> competitors, const contest& what);

}  // namespace soma::scorer
