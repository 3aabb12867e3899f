// Mutants that are found soon, each time; the others: tests/bench/consensus_mutants.
#include "tests/actors/world/agreement/mutants.hpp"

#include <doctest/doctest.h>

#include "actors/world/agreement/world.hpp"

using namespace soma;
using namespace soma::agreement_world;
using namespace soma::agreement_world::testing;

namespace {

constexpr std::uint64_t soon = 60;  // seeds

}  // namespace

TEST_CASE("each broken rule is noticed, by a violation, an assertion or a story") {
  static_assert(consensus::all_mutations.size() >= 25);
  for (const auto& m : consensus::all_mutations) {
    const auto fate = fate_of(m.which, 1, soon);
    MESSAGE(m.name << ": " << (fate.seed == 0 ? "story" : "seed " + std::to_string(fate.seed))
                   << ", " << fate.by.substr(0, fate.by.find(';')));
    CAPTURE(m.name);
    CHECK(fate.killed);
  }
}

TEST_CASE("the same seeds and stories notice nothing where no rule is broken") {
  const auto fate = fate_of(consensus::mutation::none, 1, soon);
  CAPTURE(fate.by);
  CAPTURE(fate.seed);
  CHECK_FALSE(fate.killed);
  CHECK(fate.seeds == soon);
}
