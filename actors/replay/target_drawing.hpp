// Draws the targets of a replayed block from the ledger's rows alone: the point of each seed, and
// its distance to every model that may be assigned. The results are bit by bit those of the target
// generator and the router. Protocol §7.2 and §7.3.
#pragma once

#include <map>

#include "actors/rules/execution.hpp"
#include "model/exact/index/nearest.hpp"

namespace soma::replay {

class target_drawing {
 public:
  target_drawing(std::uint32_t dim, unsigned threads);

  /// Answers all draws of the execution `begun`, which was begun on the rows `before`. The answer
  /// passes rules::check_draws.
  [[nodiscard]] rules::drawn_targets draw(const rules::execution& begun,
                                          const ledger::state_reader& before);

 private:
  struct placed {
    std::uint32_t version = 0;
    exact::embedding_slot slot = 0;
  };
  /// Changes the index to hold exactly the versions that `begun` may assign.
  void follow(const rules::execution& begun, const ledger::state_reader& before);

  std::uint32_t dim_;
  exact::tile_pool pool_;
  exact::embedding_index index_;
  std::map<model_id, placed> placed_;
};

}  // namespace soma::replay
