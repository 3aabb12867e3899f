#include <doctest/doctest.h>

#include <bit>
#include <set>

#include "actors/simulation/fault_plan.hpp"

using namespace soma::simulation;

constexpr auto tolerated_power = soma::consensus::tolerated_power.value;

namespace {

std::uint32_t frail_power(const fault_plan& p, const committee_plan& seats) {
  const auto frail = frail_identities(p);
  std::uint32_t power = 0;
  for (const auto& seat : seats) {
    if ((frail >> seat.identity & 1) != 0) power += seat.power;
  }
  return power;
}

}  // namespace

TEST_CASE("what may fail for good never has more power than is tolerated, in any committee") {
  std::size_t exactly = 0;
  for (std::uint64_t seed = 1; seed <= 3'000; ++seed) {
    CAPTURE(seed);
    const auto p = draw_plan(seed, seed % 4);
    for (const auto& seats : p.committees) {
      std::uint32_t sum = 0;
      std::set<std::uint16_t> who;
      for (const auto& seat : seats) {
        REQUIRE(seat.power >= 1);
        REQUIRE(who.insert(seat.identity).second);
        sum += seat.power;
      }
      REQUIRE(sum == soma::total_power.value);
      REQUIRE(frail_power(p, seats) <= tolerated_power);
      exactly += frail_power(p, seats) == tolerated_power ? 1 : 0;
    }
  }
  CHECK(exactly > 1'000);  // the limit itself has to be tested often
}

TEST_CASE("a plan beyond tolerance has one unit more Byzantine power than is tolerated") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    const auto p = draw_plan_beyond(seed);
    for (const auto& seats : p.committees) CHECK(frail_power(p, seats) == tolerated_power + 1);
    const auto q = draw_plan_beyond(seed, tolerated_power);
    for (const auto& seats : q.committees) CHECK(frail_power(q, seats) == tolerated_power);
    CHECK(p.beyond_tolerance);
    CHECK_FALSE(q.beyond_tolerance);
  }
}

TEST_CASE("a plan follows from its seed alone, and tells itself") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    CAPTURE(seed);
    CHECK(to_text(draw_plan(seed)) == to_text(draw_plan(seed)));
    CHECK(to_text(draw_plan(seed)) != to_text(draw_plan(seed + 1)));
  }
}

TEST_CASE("all kinds of faults and behaviours are drawn") {
  std::set<fault_kind> faults;
  std::uint32_t seen = 0;
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    const auto p = draw_plan(seed, 2);
    for (const auto& f : p.faults) faults.insert(f.kind);
    for (const auto& node : p.nodes) seen |= node.behaviours;
  }
  CHECK(faults.size() == fault_kinds);
  CHECK(std::popcount(seen) == behaviour_kinds);
}

TEST_CASE("powers keep proportions, have the right sum, and each is at least 1") {
  CHECK(powers_of({1, 1, 1, 1}) == std::vector<std::uint32_t>{2'500, 2'500, 2'500, 2'500});
  CHECK(powers_of({0, 1}, 10) == std::vector<std::uint32_t>{1, 9});
  CHECK(powers_of({1, 1, 1}, 10) == std::vector<std::uint32_t>{4, 3, 3});
}
