// Mutants that are found soon, each time; the others: tests/bench/consensus_mutants.
#include "tests/actors/world/agreement/mutants.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "actors/world/agreement/world.hpp"

using namespace soma;
using namespace soma::agreement_world;
using namespace soma::agreement_world::testing;

namespace {

constexpr std::uint64_t soon = 60;  // seeds

/// The first seed that notices what so many do not. After a change of plans or of the core that
/// makes one of them blind, the program finds others: consensus_mutants --only NAME.
struct known_seed {
  consensus::mutation broken;
  std::uint64_t seed;
};
constexpr auto later = std::to_array<known_seed>({
    {consensus::mutation::parent_needs_no_certificate, 303},
});

std::uint64_t first_seed_of(consensus::mutation broken) {
  const auto known = std::ranges::find(later, broken, &known_seed::broken);
  return known == later.end() ? 1 : known->seed;
}

}  // namespace

TEST_CASE("each broken rule is noticed, by a violation, an assertion or a story") {
  static_assert(consensus::all_mutations.size() >= 25);
  for (const auto& m : consensus::all_mutations) {
    const auto first = first_seed_of(m.which);
    const auto fate = fate_of(m.which, first, first == 1 ? soon : first);
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
