// Runs a world from a seed, records it as a script, replays scripts with all invariants checked,
// and shrinks a script to the few steps that break one. ctest runs a few thousand worlds with this
// code; tests/bench/rules_worlds runs ten million transactions.
#pragma once

#include <optional>
#include <string>

#include "tests/actors/rules/worlds/world.hpp"

namespace soma::test {

struct world_report {
  coverage seen;
  std::optional<std::string> broken;  // the invariant that was violated, and after which block
  block_height height;
  std::uint64_t transactions = 0;  // how many were sent until then
};

/// Runs a world of about so many transactions. At the end all people leave, and everything locked
/// must come back. A failed assertion of the rules counts as a violation. The steps are added to
/// `record` if it is given.
[[nodiscard]] world_report live(std::uint64_t seed, std::uint64_t transactions,
                                const strictness& how, script* record = nullptr);
[[nodiscard]] world_report replay(const script& steps, const strictness& how);
/// A script with fewer steps that still violates an invariant. Tries at most `tries` replays.
[[nodiscard]] script shrunk(script steps, const strictness& how, std::size_t tries = 2'000);

}  // namespace soma::test
