// The models that targets are assigned to, with the stakes that count: what the rules would
// otherwise have to look for among all rows of a ledger whenever a target is opened. Kept in memory
// beside a ledger and taken along by each block's changes; it follows from the rows alone.
#pragma once

#include <span>
#include <vector>

#include "actors/rules/ledger.hpp"

namespace soma::rules {

/// A model version that may be assigned.
struct candidate {
  model_version_ref model;
  shannons stake;                // of its whole pool
  std::uint64_t stake_root = 0;  // isqrt(stake)
  friend bool operator==(const candidate&, const candidate&) = default;
};

class active_models {
 public:
  active_models() = default;
  /// Reads all models.
  explicit active_models(const state_reader& state);

  /// In order of their ids.
  [[nodiscard]] const std::vector<candidate>& list() const { return list_; }
  /// As it will be after what a block has done so far.
  [[nodiscard]] std::vector<candidate> after(const ledger& block) const;
  /// Takes along what a block has changed.
  void apply(std::span<const row_change> changes);

 private:
  std::vector<candidate> list_;
};

}  // namespace soma::rules
