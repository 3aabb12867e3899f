// A few lives by hand: what a world offers to those who write scenarios works.
#include <doctest/doctest.h>

#include <algorithm>

#include "actors/world/agreement/world.hpp"

using namespace soma;
using namespace soma::agreement_world;

namespace {

world of(std::uint64_t seed, std::size_t size, std::size_t spare = 0,
         std::uint32_t transactions_per_s = 4) {
  auto p = quiet_plan(seed, size, spare);
  p.transactions_per_s = transactions_per_s;
  p.heal_ms = 1'000'000'000;  // never: the story does it
  return world(std::move(p));
}

void check(const world& w) {
  REQUIRE_MESSAGE(!w.violation(), w.violation().value_or(""));
}

}  // namespace

TEST_CASE("without a quorum nothing is final; when the cut mends, all go on") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    CAPTURE(seed);
    auto w = of(seed, 4);
    REQUIRE(w.run_blocks(5, 30'000));
    w.partition(0b0011);
    w.run_for(2'000);
    const auto before = std::max({w.height(0), w.height(1), w.height(2), w.height(3)});
    w.run_for(20'000);
    CHECK(std::max({w.height(0), w.height(1), w.height(2), w.height(3)}) == before);
    w.mend();
    CHECK(w.run_blocks(10, 120'000));
    check(w);
  }
}

TEST_CASE("a process that stops at any point of a write comes back and contradicts nothing") {
  for (const auto where : {crash_point::before_durable, crash_point::before_answer,
                           crash_point::after_answer, crash_point::in_commit}) {
    for (std::uint32_t count = 1; count <= 12; ++count) {
      CAPTURE(static_cast<int>(where));
      CAPTURE(count);
      auto w = of(count, 4);
      REQUIRE(w.run_blocks(2, 30'000));
      w.crash_at(1, where, count);
      REQUIRE(w.run_until([](const world& x) { return x.core(1) == nullptr; }, 60'000));
      w.run_for(500);
      w.restart(1);
      CHECK(w.run_blocks(8, 60'000));
      check(w);
    }
  }
}

TEST_CASE("who lost its record follows and is silent until an epoch begins") {
  auto w = of(3, 4);
  REQUIRE(w.run_blocks(3, 30'000));
  const auto epoch = w.epoch(2);
  w.crash(2);
  w.lose_record(2);
  w.restart(2);
  w.run_for(200);
  CHECK(w.core(2)->fenced());
  REQUIRE(w.run_until([&](const world& x) { return x.epoch(2) > epoch.next(); }, 120'000));
  w.run_for(1'000);
  CHECK_FALSE(w.core(2)->fenced());
  CHECK_FALSE(w.record(2).votes.empty());
  check(w);
}

TEST_CASE("who lost everything fetches the ledger again") {
  auto w = of(4, 4);
  REQUIRE(w.run_blocks(30, 120'000));
  w.crash(0);
  w.lose_record(0);
  w.lose_ledger(0);
  w.restart(0);
  CHECK(w.height(0) == 0);
  CHECK(w.run_blocks(5, 60'000));
  check(w);
}

TEST_CASE("a full disk makes a process mute; it signs again when there is room") {
  auto w = of(5, 4);
  REQUIRE(w.run_blocks(3, 30'000));
  w.set_disk_full(3, true);
  REQUIRE(w.run_until([](const world& x) { return x.core(3)->mute(); }, 10'000));
  CHECK(w.run_blocks(3, 60'000));
  w.set_disk_full(3, false);
  w.run_for(500);
  CHECK_FALSE(w.core(3)->mute());
  CHECK(w.run_blocks(5, 60'000));
  check(w);
}

TEST_CASE("one whose executor lies stops; the others go on") {
  auto w = of(6, 4);
  REQUIRE(w.run_blocks(3, 30'000));
  w.set_bad_executor(1, true);
  CHECK(w.run_blocks(10, 120'000));
  CHECK(w.core(1)->alarmed());
  check(w);
}

TEST_CASE("contradicting votes put in by hand are reported and punished") {
  auto w = of(7, 4);
  w.set_behaviours(2, static_cast<std::uint32_t>(behaviour::silent));
  REQUIRE(w.run_blocks(2, 60'000));
  const auto view = w.core(0)->view() + 3;
  block_id one;
  one.value[0] = 1;
  block_id two;
  two.value[0] = 2;
  for (const auto& id : {one, two}) {
    const auto vote = w.signed_by(2, {vote_kind::notarize, w.epoch(0), view, id});
    w.inject(2, 0, std::make_shared<const peer_message>(peer::vote{vote}));
  }
  CHECK(w.run_until([](const world& x) { return x.is_slashed(2); }, 60'000));
  CHECK(w.evidence_reported() > 0);
  CHECK_FALSE(w.is_slashed(1));
  check(w);
}

TEST_CASE("a transaction handed to one process is final at all") {
  auto w = of(8, 4, 1);
  REQUIRE(w.run_blocks(1, 30'000));
  const auto number = w.submit(4);  // which is no member
  CHECK(w.run_until([&](const world& x) { return x.is_final(number); }, 30'000));
  check(w);
}

TEST_CASE("L5: an hour without a quorum costs bytes by the hour's views, not by its seconds") {
  auto w = of(9, 4, 0, 0);
  REQUIRE(w.run_blocks(3, 30'000));
  w.set_filter([](std::uint32_t, std::uint32_t, const peer_message&) { return true; });
  w.run_for(600'000);
  const auto messages = w.sent_messages(0);
  const auto bytes = w.sent_bytes(0);
  w.run_for(3'600'000);
  // A standstill message and a greeting every 30 s to each of three, a proposal now and then.
  CHECK(w.sent_messages(0) - messages <= 120 * 3 * 4);
  CHECK(w.sent_bytes(0) - bytes <= 120 * 3 * 16'384);
  check(w);
}

TEST_CASE("clocks that are an hour off cost their owners the votes, nobody the chain") {
  for (const std::int64_t off : {std::int64_t{3'600'000}, std::int64_t{-900'000}}) {
    CAPTURE(off);
    auto w = of(10, 4);
    REQUIRE(w.run_blocks(2, 30'000));
    w.set_clock_offset(2, off);
    CHECK(w.run_blocks(10, 240'000));
    w.set_clock_offset(2, 0);
    CHECK(w.run_blocks(10, 120'000));
    check(w);
  }
}

TEST_CASE("S11: votes for a hundred thousand views take no more memory than those of a window") {
  auto w = of(11, 4, 0, 0);
  w.set_behaviours(3, static_cast<std::uint32_t>(behaviour::silent));
  REQUIRE(w.run_blocks(2, 60'000));
  const auto first = w.core(0)->view() + 1;
  for (std::uint64_t i = 0; i < 100'000; ++i) {
    block_id id;
    id.value[0] = static_cast<std::uint8_t>(i);
    const auto vote = w.signed_by(3, {vote_kind::notarize, w.epoch(0), first + i, id});
    w.inject(3, 0, std::make_shared<const peer_message>(peer::vote{vote}));
  }
  w.run_for(1'000);
  CHECK(w.core(0)->held_bytes() < 256 * 1024);
  CHECK(w.run_blocks(3, 60'000));
  check(w);
}
