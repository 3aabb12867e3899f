// A world from a seed: recorded as a script, replayed with every invariant looked at, shrunk to the
// few steps that break one. The same code runs a few thousand worlds in ctest and ten million
// transactions by hand.
#pragma once

#include <optional>
#include <string>

#include "tests/actors/rules/worlds/world.hpp"

namespace soma::test {

struct world_report {
  coverage seen;
  std::optional<std::string> broken;  // what did not hold, and after which block
  block_height height;
  std::uint64_t transactions = 0;  // up to there
};

/// Lives a world of about so many transactions; then everybody leaves, and what was locked must
/// come back. A failed assertion of the rules is a violation too. Steps go into `record` if given.
[[nodiscard]] world_report live(std::uint64_t seed, std::uint64_t transactions,
                                const strictness& how, script* record = nullptr);
[[nodiscard]] world_report replay(const script& steps, const strictness& how);
/// Fewer steps that break something still; tries so many replays at most.
[[nodiscard]] script shrunk(script steps, const strictness& how, std::size_t tries = 2'000);

}  // namespace soma::test
