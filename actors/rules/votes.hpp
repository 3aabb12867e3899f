// Votes that rows keep: one a member, each with the power it had when it was cast.
#pragma once

#include <algorithm>
#include <span>

#include "actors/rules/arithmetic.hpp"
#include "actors/rules/block_run.hpp"

namespace soma::rules {

template <class Verdict>
[[nodiscard]] bool has_voted(const std::vector<cast_vote<Verdict>>& votes, const address& who) {
  return std::any_of(votes.begin(), votes.end(), [&](const auto& v) { return v.voter == who; });
}

template <class Verdict, class Predicate>
[[nodiscard]] std::uint64_t power_where(const std::vector<cast_vote<Verdict>>& votes,
                                        Predicate wanted) {
  std::uint64_t power = 0;
  for (const auto& vote : votes) power += wanted(vote.verdict) ? vote.power : 0;
  return power;
}

/// Pays those whose verdict is wanted, by power, floor each; returns what was paid. The caller owns
/// the remainder.
template <class Verdict, class Predicate>
shannons pay_voters(block_run& run, const place& from, shannons amount,
                    const std::vector<cast_vote<Verdict>>& votes, Predicate wanted,
                    const target_id& about = {}) {
  const std::uint64_t all = power_where(votes, wanted);
  shannons paid;
  for (const auto& vote : votes) {
    if (!wanted(vote.verdict)) continue;
    const shannons part{share_of(amount.value, vote.power, all)};
    run.state.must_move(from, balance_of(vote.voter), part);
    paid.value += part.value;
    auto& e = run.note(event_kind::voter_paid);
    e.target = about;
    e.account = vote.voter;
    e.amount = part;
  }
  return paid;
}

}  // namespace soma::rules
