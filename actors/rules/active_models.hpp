// The models that targets are assigned to, with the stakes that count. Without this list the rules
// would have to look through all rows of models whenever a target is opened. It is kept in memory
// beside a ledger and updated by each block's changes; it follows from the rows alone.
#pragma once

#include <span>
#include <vector>

#include "actors/ledger/ledger.hpp"

namespace soma::rules {

/// A model version that may be assigned.
struct candidate {
  model_version_ref model;
  shannons stake;                // what its pool counts, protocol §4.9
  std::uint64_t stake_root = 0;  // isqrt(stake)
  friend bool operator==(const candidate&, const candidate&) = default;
};

class active_models {
 public:
  active_models() = default;
  /// Reads all models.
  explicit active_models(const ledger::state_reader& state);

  /// In order of their ids.
  [[nodiscard]] const std::vector<candidate>& list() const { return list_; }
  /// The list as it is after what a block has done so far.
  [[nodiscard]] std::vector<candidate> after(const ledger::block_state& block) const;
  /// Updates the list by what a block has changed.
  void apply(std::span<const row_change> changes);

 private:
  std::vector<candidate> list_;
};

}  // namespace soma::rules
