// Mutants that are found soon, each time; the others: tests/bench/consensus_mutants.
#include "tests/actors/world/agreement/mutants.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "actors/world/agreement/world.hpp"

using namespace soma;
using namespace soma::agreement_world;
using namespace soma::agreement_world::testing;

namespace {

constexpr std::uint64_t soon = 100;  // seeds

/// Those for which a hundred seeds are too few to count on.
constexpr auto later = std::to_array<consensus::mutation>({
    consensus::mutation::fence_forgotten,
    consensus::mutation::future_time_accepted,
    consensus::mutation::own_votes_not_recounted,
    consensus::mutation::parent_needs_no_certificate,
    consensus::mutation::parent_time_unchecked,
    consensus::mutation::payload_unchecked,
    consensus::mutation::proposal_signature_unchecked,
    consensus::mutation::signs_below_record,
    consensus::mutation::timeouts_do_not_grow,
});

}  // namespace

TEST_CASE("a broken rule is noticed: each by a violation, within a hundred seeds") {
  std::size_t killed = 0;
  for (const auto& m : consensus::all_mutations) {
    if (!why_equivalent(m.which).empty() || std::ranges::find(later, m.which) != later.end()) {
      continue;
    }
    const auto fate = fate_of(m.which, 1, soon);
    MESSAGE(m.name << ": " << (fate.seeds == 0 ? "story" : "seed " + std::to_string(fate.seed))
                   << ", " << fate.by.substr(0, fate.by.find(';')));
    CAPTURE(m.name);
    CHECK(fate.killed);
    killed += fate.killed ? 1 : 0;
  }
  CHECK(killed >= 25);
}

TEST_CASE("the same seeds and stories notice nothing where no rule is broken") {
  const auto fate = fate_of(consensus::mutation::none, 1, soon);
  CAPTURE(fate.by);
  CAPTURE(fate.seed);
  CHECK_FALSE(fate.killed);
  CHECK(fate.seeds == soon);
}
