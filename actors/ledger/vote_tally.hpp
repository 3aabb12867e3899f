// Counts the votes that a row keeps: one for each member, each with the power that the member had
// when it voted.
#pragma once

#include <algorithm>
#include <vector>

#include "messages/values/rows.hpp"

namespace soma::ledger {

template <class Verdict>
[[nodiscard]] bool has_voted(const std::vector<cast_vote<Verdict>>& votes, const address& who) {
  return std::any_of(votes.begin(), votes.end(), [&](const auto& v) { return v.voter == who; });
}

template <class Verdict, class Predicate>
[[nodiscard]] voting_power power_where(const std::vector<cast_vote<Verdict>>& votes,
                                       Predicate wanted) {
  voting_power power;
  for (const auto& vote : votes) {
    if (wanted(vote.verdict)) power += vote.power;
  }
  return power;
}

}  // namespace soma::ledger
