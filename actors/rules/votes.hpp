// Pays the members for the votes that a row keeps.
#pragma once

#include <vector>

#include "actors/ledger/vote_tally.hpp"
#include "actors/rules/arithmetic.hpp"
#include "actors/rules/block_run.hpp"

namespace soma::rules {

using ledger::has_voted;
using ledger::power_where;

/// Divides an amount among the voters with a wanted verdict, by power, floor each; returns the sum
/// of what was paid. The caller decides what becomes of the remainder.
template <class Verdict, class Predicate>
shannons pay_voters(block_run& run, const place& from, shannons amount,
                    const std::vector<cast_vote<Verdict>>& votes, Predicate wanted,
                    const target_id& about = {}) {
  const voting_power all = power_where(votes, wanted);
  shannons paid;
  for (const auto& vote : votes) {
    if (!wanted(vote.verdict)) continue;
    const shannons part{share_of(amount.value, vote.power.value, all.value)};
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
