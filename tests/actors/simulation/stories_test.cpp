// A few short scenarios, which show that the functions of the network for scenarios work.
#include <doctest/doctest.h>

#include "actors/simulation/simulated_network.hpp"

using namespace soma;
using namespace soma::simulation;

namespace {

network of(std::uint64_t seed, std::size_t size, std::size_t spare = 0,
           std::uint32_t transactions_per_s = 4) {
  auto p = quiet_plan(seed, size, spare);
  p.transactions_per_s = transactions_per_s;
  p.heal_ms = 1'000'000'000;  // it never heals by itself
  return network(std::move(p));
}

void check(const network& net) {
  REQUIRE_MESSAGE(!net.violation(), net.violation().value_or(""));
}

}  // namespace

// After a stop at any step of R4 or R9 a process comes back by R0 and contradicts nothing (S2).
TEST_CASE("a process that stops at any point of a write comes back and contradicts nothing") {
  for (const auto where : {crash_point::before_durable, crash_point::before_answer,
                           crash_point::after_answer, crash_point::in_commit}) {
    for (std::uint32_t count = 1; count <= 12; ++count) {
      CAPTURE(static_cast<int>(where));
      CAPTURE(count);
      auto net = of(count, 4);
      REQUIRE(net.run_blocks(2, 30'000));
      net.crash_at(1, where, count);
      REQUIRE(net.run_until([](const network& x) { return x.core(1) == nullptr; }, 60'000));
      net.run_for(500);
      net.restart(1);
      CHECK(net.run_blocks(8, 60'000));
      check(net);
    }
  }
}

// By R4 a batch that failed leaves the process mute until there is room.
TEST_CASE("a full disk makes a process mute; it signs again when there is room") {
  auto net = of(5, 4);
  REQUIRE(net.run_blocks(3, 30'000));
  net.set_disk_full(3, true);
  REQUIRE(net.run_until([](const network& x) { return x.core(3)->mute(); }, 10'000));
  CHECK(net.run_blocks(3, 60'000));
  net.set_disk_full(3, false);
  net.run_for(500);
  CHECK_FALSE(net.core(3)->mute());
  CHECK(net.run_blocks(5, 60'000));
  check(net);
}

// L2 holds for a transaction that a process without a seat has taken, too.
TEST_CASE("a transaction given to one node becomes final at all nodes") {
  auto net = of(8, 4, 1);
  REQUIRE(net.run_blocks(1, 30'000));
  const auto number = net.submit(4);  // which has no seat
  CHECK(net.run_until([&](const network& x) { return x.is_final(number); }, 30'000));
  check(net);
}
