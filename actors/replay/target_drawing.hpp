// Draws the targets of a block that is executed once more: the points of their seeds and the
// distances to every model that may be assigned, from nothing but the ledger's rows. The same bits
// as target generator and router give.
#pragma once

#include <map>

#include "actors/rules/execution.hpp"
#include "model/exact/nearest.hpp"

namespace soma::replay {

class target_drawing {
 public:
  target_drawing(std::uint32_t dim, unsigned threads);

  /// Answers all draws of `begun`, which was begun on `before`. Passes check_draws.
  [[nodiscard]] rules::drawn_targets draw(const rules::execution& begun,
                                          const rules::state_reader& before);

 private:
  struct placed {
    std::uint32_t version = 0;
    exact::embedding_slot slot = 0;
  };
  /// Makes the index hold exactly the versions that `begun` may assign.
  void follow(const rules::execution& begun, const rules::state_reader& before);

  std::uint32_t dim_;
  exact::tile_pool pool_;
  exact::embedding_index index_;
  std::map<model_id, placed> placed_;
};

}  // namespace soma::replay
