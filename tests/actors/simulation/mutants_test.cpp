// The seeds and stories that have to notice broken rules (tests/mutants/agreement.txt) notice
// nothing in a core that breaks no rule.
#include "tests/actors/simulation/mutants.hpp"

#include <doctest/doctest.h>

using namespace soma::simulation::testing;

TEST_CASE("the seeds that notice mutants notice nothing where no rule is broken") {
  constexpr std::uint64_t last = 60;
  const auto fate = fate_of_seeds(1, last);
  CAPTURE(fate.by);
  CAPTURE(fate.seed);
  CHECK_FALSE(fate.killed);
  CHECK(fate.seed == last);
}

TEST_CASE("the stories that notice mutants notice nothing where no rule is broken") {
  for (const auto mutant : mutants_of_all_stories()) {
    CAPTURE(mutant);
    const auto fate = fate_of_story(mutant);
    CAPTURE(fate.by);
    CHECK_FALSE(fate.killed);
  }
}
