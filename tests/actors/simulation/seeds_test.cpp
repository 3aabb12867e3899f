// Runs of drawn plans, one for each seed. The number of a failing seed is enough to replay it.
#include <doctest/doctest.h>

#include "actors/simulation/simulated_network.hpp"

using namespace soma::simulation;

namespace {

run_counts run_seeds(std::uint64_t first, std::uint64_t count, std::uint32_t intensity) {
  run_counts sum;
  for (auto seed = first; seed < first + count; ++seed) {
    CAPTURE(seed);
    CAPTURE(intensity);
    const auto out = run(draw_plan(seed, intensity));
    REQUIRE_MESSAGE(out.ok, out.violation);
    REQUIRE(out.blocks >= 10);
    REQUIRE(out.epochs >= 1);
    sum += out.counts;
  }
  return sum;
}

}  // namespace

// Each run checks S1, S2, S3, S4, S5, S6, S7, S8, S10 and S11 to its end, and after healing L1, L2,
// L3 and L4, too. It also checks that no correct process blames another one, by security §6.4.
TEST_CASE("agreement holds, whatever breaks, and resumes when nothing breaks any more") {
  auto sum = run_seeds(1, 40, 0);
  sum += run_seeds(1, 150, 1);
  sum += run_seeds(1'001, 350, 2);
  sum += run_seeds(2'001, 250, 3);
  for (std::size_t i = 0; i < counted_kinds; ++i) {
    const auto kind = static_cast<coverage>(i);
    CAPTURE(to_text(kind));
    CHECK(sum[kind] > 0);  // a kind that never happened was not tested
  }
}

TEST_CASE("seeds that once found something") {
  // These seeds found: standstill messages of a past epoch; clocks that are behind after a lost
  // record; a ledger lost below the base to which its record was pruned; a member that listens
  // while its committee changes; a disk that gets room just when an epoch ends; ten silent leaders
  // in a row, which is no fault.
  const std::pair<std::uint64_t, unsigned> found[] = {{12'625, 3}, {11'868, 3}, {5'362, 3},
                                                      {9'164, 3},  {29'164, 3}, {45'261, 2},
                                                      {62'453, 2}, {1'801, 2}};
  for (const auto& [seed, intensity] : found) {
    CAPTURE(seed);
    const auto out = run(draw_plan(seed, intensity));
    CHECK_MESSAGE(out.ok, out.violation);
  }
}

TEST_CASE("the same plan gives the same run") {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    CAPTURE(seed);
    const auto p = draw_plan(seed, 3);
    const auto once = run(p);
    const auto again = run(p);
    CHECK(once.trace_hash == again.trace_hash);
    CHECK(once.events == again.events);
    std::size_t lines = 0;
    run_options told;
    told.trace = [&](const trace_line&) { ++lines; };
    CHECK(run(p, told).trace_hash == once.trace_hash);  // a trace does not change the run
    CHECK(lines > 100);
    CHECK(run(draw_plan(seed + 1'000, 3)).trace_hash != once.trace_hash);
  }
}

TEST_CASE("a network in which nothing breaks finalizes at the pace that was asked for") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    CAPTURE(seed);
    auto p = quiet_plan(seed, 4);
    p.heal_ms = 60'000;
    p.transactions_per_s = 200;  // so that every block has content
    p.options.block_interval_ms = 100;
    const auto out = run(p);
    REQUIRE_MESSAGE(out.ok, out.violation);
    const auto per_s = out.blocks * 1'000 / out.virtual_ms;
    CHECK(per_s >= 5);
    CHECK(per_s <= 10);
    CHECK(out.counts[coverage::views_skipped] == 0);
    CHECK(out.counts[coverage::evidence] == 0);
    CHECK(out.counts[coverage::blamed] == 0);
  }
}

TEST_CASE("f+1: with one unit more Byzantine power than is tolerated agreement itself breaks") {
  std::size_t broken = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    const auto out = run(draw_plan_beyond(seed, soma::consensus::tolerated_power.value + 1));
    if (out.violation.rfind("S1", 0) == 0) ++broken;
  }
  CHECK(broken >= 10);
}

TEST_CASE("f: without that unit, in the same networks, no invariant breaks") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    const auto out = run(draw_plan_beyond(seed, soma::consensus::tolerated_power.value));
    REQUIRE_MESSAGE(out.ok, out.violation);
  }
}

TEST_CASE("a run that does not end is a failure with a name") {
  run_options few;
  few.max_events = 500;
  const auto out = run(quiet_plan(1, 4), few);
  CHECK_FALSE(out.ok);
  CHECK(out.violation == "too many events");
}
