// When a core proposes, which proposals it keeps, and which blocks it notarizes. The times and
// sizes are those of R2, R3 and R13.
#include <doctest/doctest.h>

#include "tests/actors/consensus/lone_core.hpp"

namespace soma::consensus::testing {
namespace {

using times = std::vector<std::uint64_t>;

/// A core with one peer. The chain of notarized blocks above its base grows as the test wants.
struct one_leader : lone_core {
  explicit one_leader(std::size_t members = 4) : lone_core(members) {
    (void)start();
    (void)connect(1, 1);
  }
  [[nodiscard]] bool leads(view_number view) const { return members().leader(view).value == 0; }
  /// Skips views until the condition holds for the present one.
  template <class Condition>
  void skip_until(Condition is_right) {
    while (!is_right(core().view())) (void)skip(core().view());
  }
  effects propose(const block_ptr& block, std::vector<certificate> skips = {}) {
    return hear(1, peer::proposal{block, tip_proof, std::move(skips)});
  }
  /// One more block that all others have notarized, of another leader.
  void extend() {
    skip_until([&](view_number view) { return !leads(view); });
    const auto view = core().view();
    const auto block = block_of({.view = view,
                                 .time_ms = base_time_ms + view.value,
                                 .number = view.value,
                                 .parent = tip.get()});
    (void)propose(block);
    tip = block;
    tip_proof = certified(vote_kind::notarize, view, block->id);
    (void)hear(1, peer::certified{*tip_proof});
  }

  block_ptr tip;
  std::optional<certificate> tip_proof;
};

std::vector<vote_kind> kinds_of_votes(const effects& all) {
  std::vector<vote_kind> kinds;
  for (const auto& vote : messages_in<peer::vote>(all)) {
    kinds.push_back(vote.signed_vote.statement.kind);
  }
  return kinds;
}

std::size_t drafts_in(const effects& all) {
  return static_cast<std::size_t>(std::ranges::count_if(all, [](const effect& one) {
    const auto* run = std::get_if<execute>(&one);
    return run != nullptr && run->draft;
  }));
}

/// Transactions that take so many bytes together, signatures included.
std::vector<signed_transaction> payload_of(std::size_t count, std::size_t bytes_in_all) {
  std::vector<signed_transaction> made(count);
  made.front().body = bytes(bytes_in_all - 64 * count, 7);
  return made;
}

}  // namespace

// By R2 what passed since the time of the block is part of the interval.
TEST_CASE("the interval counts from the time of the block before, and is never longer") {
  struct wait {
    std::int64_t block_before_now_ms;
    std::uint64_t wanted_ms;
  };
  for (const auto& [before_now, wanted] :
       {wait{0, 100}, wait{30, 70}, wait{99, 1}, wait{100, 0}, wait{900, 0}, wait{-1'500, 100}}) {
    CAPTURE(before_now);
    one_leader one;
    one.skip_until([&](view_number view) { return !one.leads(view) && one.leads(view.next()); });
    const auto view = one.core().view();
    const auto time =
        static_cast<std::uint64_t>(static_cast<std::int64_t>(one.now_ms) - before_now);
    const auto block = one.block_of({.view = view, .time_ms = time, .number = 1});
    (void)one.propose(block);
    const auto entered =
        one.hear(1, peer::certified{one.certified(vote_kind::notarize, view, block->id)});
    CHECK(timers_in(entered, timer_kind::propose) == times{wanted});
  }
}

// By R2 a leader waits 100 ms after a view with a block, and a second in all without transactions.
TEST_CASE("a leader waits for the interval after a block, and longer when it has nothing to send") {
  for (const bool after_block : {false, true}) {
    CAPTURE(after_block);
    one_leader one;
    one.skip_until([&](view_number view) { return !one.leads(view) && one.leads(view.next()); });
    const auto before = one.core().view();
    const auto entered = one.hear(
        1, peer::certified{after_block ? one.certified(vote_kind::notarize, before, block_number(1))
                                       : one.certified(vote_kind::skip, before)});
    CHECK(timers_in(entered, timer_kind::propose) == times{after_block ? 100u : 0u});
    if (after_block) continue;  // its block is not here
    const auto ready = one.fire(timer_kind::propose);
    CHECK(timers_in(ready, timer_kind::propose) == times{900});
    CHECK(drafts_in(ready) == 0);
    CHECK(drafts_in(one.fire(timer_kind::propose)) == 1);
    // It asks for no more transactions than a block may have.
    REQUIRE_FALSE(one.payload.asked.empty());
    CHECK(one.payload.asked.front().max_bytes == 256 * 1024);
    CHECK(one.payload.asked.front().max_count == 4'096);
  }
}

// By R2 a block has no transactions with more than 64 blocks between it and the base.
TEST_CASE("far above the last final block a leader asks for no transactions") {
  one_leader one;
  const auto is_asked = [&] {
    one.skip_until([&](view_number view) { return one.leads(view); });
    const auto before = one.payload.asked.size();
    CHECK(timers_in(one.fire(timer_kind::propose), timer_kind::propose) == times{900});
    return one.payload.asked.size() > before;
  };
  for (int i = 0; i < 64; ++i) one.extend();
  CHECK(is_asked());
  CHECK(one.payload.asked.back().ancestors == 64);
  one.extend();
  CHECK_FALSE(is_asked());
}

// By R2 a block has no transactions with more than 128 blocks in the tree.
TEST_CASE("with many blocks beside the chain a leader asks for no transactions") {
  one_leader one(10);
  for (int i = 0; i < 30; ++i) one.extend();
  one.skip_until([&](view_number view) { return one.leads(view); });
  (void)one.fire(timer_kind::propose);
  for (auto view = one.core().view().next(); one.core().unfinalized_blocks() < 130; ++view) {
    REQUIRE(view < one.core().view() + 64);
    if (one.leads(view)) continue;
    for (const std::uint64_t number : {1, 2}) {
      const auto before = one.payload.asked.size();
      const auto blocks = one.core().unfinalized_blocks();
      (void)one.propose(one.block_of({.view = view, .number = number}));
      REQUIRE(one.core().unfinalized_blocks() == blocks + 1);
      CHECK((one.payload.asked.size() > before) == (blocks + 1 <= 128));
    }
  }
}

// By R3 a proposal is kept if its view is at most 64 above the present one.
TEST_CASE("proposals far ahead are not kept") {
  one_leader one;
  one.skip_until([&](view_number v) { return !one.leads(v + 64) && !one.leads(v + 65); });
  const auto now = one.core().view();
  (void)one.propose(one.block_of({.view = now + 65}));
  CHECK(one.core().unfinalized_blocks() == 0);
  CHECK(one.checker.checks == 3 * (now.value - 1));  // those of the views that were skipped
  (void)one.propose(one.block_of({.view = now + 64}));
  CHECK(one.core().unfinalized_blocks() == 1);
}

// By R3 a second block of a view is evidence, and a third is not looked at.
TEST_CASE("of the blocks that a leader proposes in a view two are kept") {
  one_leader one;
  one.skip_until([&](view_number v) { return !one.leads(v + 3); });
  const auto view = one.core().view() + 3;
  const auto first = one.propose(one.block_of({.view = view, .number = 1}));
  CHECK(count_of<report>(first) == 0);
  CHECK(count_of<report>(one.propose(one.block_of({.view = view, .number = 2}))) == 1);
  const auto checks = one.checker.checks;
  CHECK(count_of<report>(one.propose(one.block_of({.view = view, .number = 3}))) == 0);
  CHECK(one.checker.checks == checks);
  CHECK(one.core().unfinalized_blocks() == 2);
}

// By R3 a proposal may show up to 64 certificates of skipped views.
TEST_CASE("certificates of 64 skipped views are taken from a proposal, of more none") {
  one_leader one;
  one.skip_until([&](view_number v) { return !one.leads(v + 1); });
  const auto now = one.core().view();
  const auto block = one.block_of({.view = now.next()});
  std::vector<certificate> skips;
  for (std::uint64_t i = 0; i < 65; ++i) {
    skips.push_back(one.certified(vote_kind::skip, now + i));
  }
  (void)one.propose(block, skips);
  CHECK(one.core().unfinalized_blocks() == 1);
  CHECK(one.core().view() == now);
  skips.pop_back();
  (void)one.propose(block, skips);
  CHECK(one.core().view() == now + 64);
}

// By R3 the payload of a block is within its limits: 256 KiB and 4,096 transactions.
TEST_CASE("a block with too large a payload is not kept, and its sender is blamed") {
  one_leader one;
  one.skip_until([&](view_number v) { return !one.leads(v); });
  const auto view = one.core().view();
  const auto blames = [&](std::size_t count, std::size_t bytes_in_all) {
    const auto block = one.block_of({.view = view, .payload = payload_of(count, bytes_in_all)});
    return count_of<blame>(one.propose(block));
  };
  CHECK(blames(1, 256 * 1024 + 1) == 1);
  CHECK(blames(4'097, 4'097 * 64) == 1);
  CHECK(one.core().unfinalized_blocks() == 0);
  CHECK(blames(1, 256 * 1024) == 0);
  CHECK(blames(4'096, 256 * 1024) == 0);
  CHECK(one.core().unfinalized_blocks() == 2);
}

// By R13 a block may be two seconds ahead of the clock of the process that judges it.
TEST_CASE("a block ahead of the clock is held until it is less than two seconds ahead") {
  const auto votes_for = [](std::uint64_t ahead_ms, one_leader& one) {
    one.skip_until([&](view_number v) { return !one.leads(v); });
    const auto time_ms = one.now_ms + ahead_ms;
    return one.propose(one.block_of({.view = one.core().view(), .time_ms = time_ms}));
  };
  one_leader in_time;
  CHECK(kinds_of_votes(votes_for(2'000, in_time)) == std::vector{vote_kind::notarize});
  one_leader ahead;
  const auto held = votes_for(2'007, ahead);
  CHECK(kinds_of_votes(held).empty());
  REQUIRE_FALSE(timers_in(held, timer_kind::hold).empty());
  CHECK(timers_in(held, timer_kind::hold).front() == 7);
  ahead.now_ms += 6;
  CHECK(kinds_of_votes(ahead.fire(timer_kind::hold)).empty());
  ahead.now_ms += 1;
  CHECK(kinds_of_votes(ahead.fire(timer_kind::hold)) == std::vector{vote_kind::notarize});
}

// By R13 a block is later than its parent; by R8 a view without a good block is skipped at once.
TEST_CASE("a block that is not later than its parent is not notarized, and its view is skipped") {
  for (const std::uint64_t later_ms : {0, 1}) {
    CAPTURE(later_ms);
    one_leader one;
    one.skip_until([&](view_number v) { return !one.leads(v); });
    const auto block =
        one.block_of({.view = one.core().view(), .time_ms = lone_core::base_time_ms + later_ms});
    auto all = one.propose(block);
    const auto more = one.fire(timer_kind::hold);
    all.insert(all.end(), more.begin(), more.end());
    CHECK(kinds_of_votes(all) ==
          std::vector{later_ms == 0 ? vote_kind::skip : vote_kind::notarize});
  }
}

}  // namespace soma::consensus::testing
