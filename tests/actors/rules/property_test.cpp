// Random chains, called worlds: people do everything that the protocol allows and much that it does
// not, over many epochs, and every invariant is checked after every block (worlds/invariants.hpp).
// The mass run is tests/bench/rules_worlds, which also builds the state tree anew more often.
#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <cstdlib>
#include <iostream>

#include "tests/actors/rules/worlds/random_world.hpp"

namespace soma::test {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool is_slow = true;  // then fewer worlds are run, and less coverage is required
#else
constexpr bool is_slow = false;
#endif

rc::Seq<script> fewer_steps(const script& from) {
  return rc::seq::map(rc::shrink::removeChunks(from.steps), [from](std::vector<step>&& steps) {
    return script{from.seed, from.genesis, std::move(steps)};
  });
}

/// A script of any world. It shrinks to a part of its steps, and grows with rapidcheck's size.
rc::Gen<script> any_world() {
  return [](const rc::Random& random, int size) {
    rc::Random own = random;
    script recorded;
    static_cast<void>(live(
        own.next(), 10 + static_cast<std::uint64_t>(size) * 5,
        {.twin_every = 0, .without_every = 0, .recount_every = 0, .tree_every = 0}, &recorded));
    return rc::shrinkable::shrinkRecur(std::move(recorded), &fewer_steps);
  };
}

TEST_CASE(
    "no transactions of people break an invariant, and a script that breaks one shrinks to a few "
    "steps") {
  // The worlds are the same every time; RC_PARAMS="seed=..." gives others. A failure names its
  // seed.
  setenv("RC_PARAMS", "seed=1", 0);
  CHECK(rc::check("every invariant holds after every block", [] {
    const script steps = *any_world();
    const auto report = replay(steps, {});
    if (report.broken) RC_FAIL(*report.broken);
  }));
}

// Protocol §2.4 and §3.1.
TEST_CASE("a shannon is never lost: random worlds keep every invariant and reach every ending") {
  coverage seen;
  const std::uint64_t worlds = is_slow ? 20 : 250;
  for (std::uint64_t seed = 0; seed < worlds; ++seed) {
    CAPTURE(seed);  // rules_worlds --first SEED --seeds 1 --transactions 2500 --strict
    const auto report = live(seed, 2'500, {.tree_every = 64});
    CAPTURE(report.height.value);
    REQUIRE_MESSAGE(!report.broken, *report.broken);
    seen.add(report.seen);
  }
  std::cout << seen;
  // The worlds have to reach every ending, because a world without events proves nothing.
  CHECK(seen.applied * 3 > seen.transactions);
  CHECK(seen.twins == seen.blocks);
  CHECK(seen.epochs > 20 * worlds);
  if (is_slow) return;
  CHECK(seen.samples > 100);
  for (std::size_t kind = 0; kind < event_kinds; ++kind) {
    CAPTURE(name_of(static_cast<event_kind>(kind)));
    CHECK(seen.events[kind] > 20);
  }
  for (const auto& step : drawn_steps()) {
    CAPTURE(step.from);
    CAPTURE(step.to);
    CHECK(seen.steps.contains(step));
  }
  for (const auto reason : rules::all_refusals) {
    CAPTURE(rules::name_of(reason));
    CHECK(seen.refusals.contains(reason) != out_of_reach().contains(reason));
  }
}

TEST_CASE("a world is its seed: lived and replayed from its steps it is the same") {
  for (std::uint64_t seed = 1'000; seed < 1'010; ++seed) {
    CAPTURE(seed);
    script steps;
    const auto lived = live(seed, 500, {}, &steps);
    const auto replayed = replay(steps, {});
    CHECK(!lived.broken);
    CHECK(lived.height == replayed.height);
    CHECK(lived.seen.events == replayed.seen.events);
    CHECK(lived.seen.refusals == replayed.seen.refusals);
  }
}

}  // namespace
}  // namespace soma::test
