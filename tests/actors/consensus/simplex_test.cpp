// The core with a few others on a network that only delays messages: what the consensus must do
// before faults are added. tests/actors/simulation has hostile networks. Then the times that one
// core waits, and what it keeps of the next epoch.
#include "actors/consensus/simplex.hpp"

#include <doctest/doctest.h>

#include "tests/actors/consensus/lone_core.hpp"
#include "tests/actors/consensus/simplex_network.hpp"

namespace soma::consensus::testing {

// R2 sets the pace when there are no transactions, E1 ends the epochs, and R9 commits.
TEST_CASE("committees of every size agree on one chain through several epochs") {
  for (const std::size_t members : {1, 2, 4, 7, 13}) {
    CAPTURE(members);
    network net(members);
    net.start();
    net.run_until(65'000);
    check_same_chain(net, 55);  // an idle chain makes one block per second
    CHECK(net.nodes.front()->core.epoch().value == 3);
  }
}

TEST_CASE("with work to do blocks follow each other at the interval") {
  network net(4);
  for (auto& n : net.nodes) n->payload.busy = true;
  net.start();
  net.run_until(15'000);
  check_same_chain(net, 100);  // a block takes 100 ms and two delays
}

// By R11 a process asks for blocks, by E4 it learns how epochs ended, and so it reaches the tip
// (L3).
TEST_CASE("a late process with an empty ledger and no seat reaches the tip through past epochs") {
  network net(4, 1);
  net.nodes[4]->up = false;
  for (auto& n : net.nodes) n->payload.busy = true;
  net.start();
  net.run_until(70'000);
  net.nodes[4]->up = true;
  net.start(4);
  net.run_until(80'000);
  check_same_chain(net, 450);
}

// By R11 a run of blocks is kept if its last block is proven, within the limits of security §8.4.
TEST_CASE(
    "a process catches up when there are more blocks before a proven one than an answer holds") {
  for (const std::uint64_t rare : {9, 70, 1'000}) {  // larger, more, and proven by epochs alone
    CAPTURE(rare);
    network net(4, 1);
    net.rare_proofs = rare;
    net.nodes[4]->up = false;
    for (auto& n : net.nodes) {
      n->payload.busy = true;
      if (rare == 9) n->payload.body_bytes = 200'000;
    }
    net.start();
    net.run_until(rare == 9 ? 5'000 : 24'000);
    net.nodes[4]->up = true;
    net.start(4);
    net.run_until(net.now + 10'000);
    check_same_chain(net, rare == 9 ? 80 : 200);
  }
}

// By R0 an old copy hears its own signatures and is fenced in epoch after epoch (S10).
TEST_CASE("a process that runs from an old copy beside the key's true process never signs") {
  for (const bool busy : {false, true}) {
    CAPTURE(busy);
    network net(4);
    net.add_twin_of(3);
    net.nodes[4]->up = false;
    for (auto& n : net.nodes) n->payload.busy = busy;
    net.start();
    net.run_until(8'000);
    net.nodes[4]->up = true;
    net.start(4);
    for (int second = 9; second < 65; ++second) {
      net.run_until(static_cast<std::uint64_t>(second) * 1'000);
      CHECK(!net.nodes[4]->core.may_sign());
    }
    CHECK(net.nodes[3]->core.may_sign());
    check_same_chain(net, 50);
  }
}

// By R1 and R8 members skip the views of a silent leader.
TEST_CASE("a silent member costs timeouts, not the chain") {
  network net(4);
  net.nodes[3]->up = false;
  net.start();
  net.run_until(60'000);
  check_same_chain(net, 20);
}

// By R6 a certificate carries the votes of a quorum past a link that is cut. Here a quorum needs
// all five members that are up, so two of them never have its votes.
TEST_CASE("a vote gets past a link that is cut") {
  network net(7);
  net.nodes[5]->up = net.nodes[6]->up = false;
  net.cut_link(0, 1);
  for (auto& n : net.nodes) n->payload.busy = true;
  net.start();
  net.run_until(120'000);
  check_same_chain(net, 20);
}

// By R11 a process that misses the votes of most members asks the one whose votes it hears.
TEST_CASE("a member with one link follows the chain") {
  network net(10);
  for (std::size_t other = 1; other < 9; ++other) net.cut_link(9, other);
  for (auto& n : net.nodes) n->payload.busy = true;
  net.start();
  net.run_until(10'000);
  const auto tip = net.nodes[0]->archive.all.size();
  CHECK(tip >= 20);
  CHECK(net.nodes[9]->archive.all.size() + 10 >= tip);
  check_same_chain(net, 20);
}

// By R1 the timeout of a view follows from its distance to the last final block: 1.5 s, half as
// much again with each view after the second one, and never more than a minute.
TEST_CASE("the timeouts of views grow by half, up to a minute") {
  lone_core one;
  std::vector<std::uint64_t> timeouts = timers_in(one.start(), timer_kind::view);
  for (view_number view{1}; view < view_number{13}; ++view) {
    const auto set = timers_in(one.skip(view), timer_kind::view);
    timeouts.insert(timeouts.end(), set.begin(), set.end());
  }
  CHECK(timeouts == std::vector<std::uint64_t>{1'500, 1'500, 2'250, 3'375, 5'062, 7'593, 11'389,
                                               17'083, 25'624, 38'436, 57'654, 60'000, 60'000});
  // Nothing but a new view sets the timer.
  for (const auto kind : {timer_kind::view, timer_kind::standstill, timer_kind::hold}) {
    CHECK(timers_in(one.fire(kind), timer_kind::view).empty());
  }
}

// By R0 a process with a whole record listens for three seconds during which a quorum is connected.
TEST_CASE("a process that starts again signs after three seconds with a quorum, and not before") {
  lone_core one(4, record_state::intact);
  CHECK(timers_in(one.start(), timer_kind::listen) == std::vector<std::uint64_t>{3'000});
  CHECK(one.core().signing() == signing_state::listening);
  // With one more member it has half of the power, which is no quorum.
  CHECK(timers_in(one.connect(1, 1), timer_kind::listen).empty());
  CHECK(timers_in(one.fire(timer_kind::listen), timer_kind::listen) ==
        std::vector<std::uint64_t>{3'000});
  CHECK(one.core().signing() == signing_state::listening);
  CHECK(timers_in(one.connect(2, 2), timer_kind::listen) == std::vector<std::uint64_t>{3'000});
  CHECK(one.core().signing() == signing_state::listening);
  // A quorum that is gone when the time is over proves nothing.
  (void)one.step(peer_gone{2});
  (void)one.fire(timer_kind::listen);
  CHECK(one.core().signing() == signing_state::listening);
  (void)one.connect(2, 2);
  (void)one.fire(timer_kind::listen);
  CHECK(one.core().signing() == signing_state::signs);
}

// By E5 at most 2,048 messages of the next epoch are kept.
TEST_CASE("of the messages that come early a bounded number is kept") {
  constexpr std::size_t cost_bytes = 256;  // what the core counts for a message without a block
  lone_core one;
  (void)one.start();
  (void)one.connect(1, 1);
  const auto before = one.core().held_bytes();
  const auto held = [&] { return one.core().held_bytes() - before; };
  const auto next = lone_core::epoch.next();
  const auto early = one.vote_of(1, vote_kind::skip, {1}, {}, next);
  (void)one.hear(1, peer::vote{early});
  CHECK(held() == cost_bytes);
  for (int i = 1; i < 2'048; ++i) (void)one.hear(1, peer::vote{early});
  CHECK(held() == 2'048 * cost_bytes);
  (void)one.hear(1, peer::vote{early});
  CHECK(held() == 2'048 * cost_bytes);
}

// By E5 these messages take at most 4 MiB.
TEST_CASE("of the blocks that come early a bounded number of bytes is kept") {
  lone_core one;
  (void)one.start();
  (void)one.connect(1, 1);
  const auto before = one.core().held_bytes();
  const auto held = [&] { return one.core().held_bytes() - before; };
  identified_block early;
  early.block.header.epoch = lone_core::epoch.next();
  // What the header claims does not count: it is the word of the sender.
  early.block.header.payload_bytes = 0xffff'ffff;
  early.block.payload.push_back({bytes(256 * 1024 - sizeof(signature)), {}});
  const auto proposed = std::make_shared<const identified_block>(early);
  constexpr std::size_t cost_bytes = 256 * 1024 + 8'192 + 256;
  for (int i = 0; i < 40; ++i) (void)one.hear(1, peer::proposal{proposed, {}, {}});
  CHECK(held() == (std::size_t{4} << 20) / cost_bytes * cost_bytes);
  // The bound counts all peers together, and a small message still fits into what is left.
  (void)one.connect(2, 2);
  (void)one.hear(2, peer::vote{one.vote_of(2, vote_kind::skip, {1}, {}, early.block.header.epoch)});
  CHECK(held() == (std::size_t{4} << 20) / cost_bytes * cost_bytes + 256);
  // A peer that leaves gives its share back.
  (void)one.gone(1);
  CHECK(held() == 256);
}

// By E5 nothing is kept of later epochs; their messages only say which peer to ask (R11).
TEST_CASE("a message of the epoch after the next one is not kept, and its sender is asked") {
  lone_core one;
  (void)one.start();
  (void)one.connect(1, 1);
  (void)one.connect(2, 2);
  const auto before = one.core().held_bytes();
  const auto later = one.vote_of(2, vote_kind::skip, {1}, {}, lone_core::epoch.next().next());
  const auto heard = one.hear(2, peer::vote{later});
  CHECK(one.core().held_bytes() == before);
  CHECK(timers_in(heard, timer_kind::fetch) == std::vector<std::uint64_t>{250});
  const auto asked = one.fire(timer_kind::fetch);
  CHECK(messages_in<peer::request>(asked, 2).size() == 1);
  CHECK(messages_in<peer::request>(asked, 1).empty());
}

}  // namespace soma::consensus::testing
