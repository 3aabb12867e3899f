// Checks that every refusal has a test. Tests note the refusals that occur, and the test program
// fails when a refusal that the rules can name did not occur.
#pragma once

#include <iosfwd>
#include <optional>
#include <set>

namespace soma::test {

/// The reasons of one kind that have occurred in this program so far.
template <class Reason>
std::set<Reason>& met_reasons() {
  static std::set<Reason> met;
  return met;
}

/// Notes a reason, if there is one, and returns it.
template <class Reason>
std::optional<Reason> met(std::optional<Reason> reason) {
  if (reason) met_reasons<Reason>().insert(*reason);
  return reason;
}

/// Writes to `out` every reason of a transaction, a block, a draw and a genesis that did not occur.
/// True when all occurred.
[[nodiscard]] bool all_reasons_met(std::ostream& out);

}  // namespace soma::test
