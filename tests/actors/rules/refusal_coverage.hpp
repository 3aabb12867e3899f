// Every refusal has a test: tests remember the reasons they meet, and the test program fails when
// one that the rules can name was never met.
#pragma once

#include <iosfwd>
#include <optional>
#include <set>

namespace soma::test {

/// The reasons of one kind that this program has met so far.
template <class Reason>
std::set<Reason>& met_reasons() {
  static std::set<Reason> met;
  return met;
}

/// Remembers a reason, if there is one, and hands it on.
template <class Reason>
std::optional<Reason> met(std::optional<Reason> reason) {
  if (reason) met_reasons<Reason>().insert(*reason);
  return reason;
}

/// Names on `out` every reason of a transaction, a block, a draw and a genesis that was not met;
/// true when there is none.
[[nodiscard]] bool all_reasons_met(std::ostream& out);

}  // namespace soma::test
