// Counts the votes that a row keeps: one for each voter. Protocol §5.5: a vote weighs what its
// voter has in the committee when the votes decide, and nothing when the voter has no seat then.
// The power that stands beside a vote is what the voter had when it cast the vote; it decides
// nothing.
#pragma once

#include <algorithm>
#include <vector>

#include "messages/values/rows.hpp"

namespace soma::ledger {

template <class Verdict>
[[nodiscard]] bool has_voted(const std::vector<cast_vote<Verdict>>& votes, const address& who) {
  return std::any_of(votes.begin(), votes.end(), [&](const auto& v) { return v.voter == who; });
}

/// 0 for an address that has no seat.
[[nodiscard]] inline voting_power power_of(const committee_row& present, const address& who) {
  const auto& seats = present.seats;
  const auto seat = std::lower_bound(seats.begin(), seats.end(), who,
                                     [](const auto& s, const address& a) { return s.member < a; });
  return seat != seats.end() && seat->member == who ? seat->power : voting_power{};
}

/// The power in this committee of those whose verdict is wanted.
template <class Verdict, class Predicate>
[[nodiscard]] voting_power power_where(const committee_row& present,
                                       const std::vector<cast_vote<Verdict>>& votes,
                                       Predicate wanted) {
  voting_power power;
  for (const auto& vote : votes) {
    if (wanted(vote.verdict)) power += power_of(present, vote.voter);
  }
  return power;
}

}  // namespace soma::ledger
