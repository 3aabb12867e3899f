// The ledger is taken over from several peers at the same time, which answer in any order.
#include <doctest/doctest.h>

#include <deque>
#include <set>

#include "tests/actors/state_sync/state_peers.hpp"

namespace soma::test {
namespace {

using consensus::testing::real_checker;
using soma::state_sync::state_sync_options;
using state_sync::state_sync;

const told_ledger& true_one() {
  static const told_ledger made(21);
  return made;
}

state_network network_of(const std::vector<conduct>& all, std::uint64_t seed) {
  std::vector<state_peer> peers;
  for (std::size_t i = 0; i < all.size(); ++i) {
    peers.emplace_back(true_one(), true_one(), all[i], seed * 50 + i);
  }
  return {std::move(peers), seed};
}

struct taker {
  explicit taker(state_sync_options options = {})
      : sync(true_one().chain.genesis, folder.path() / "taking", checker, options) {}
  void check_taken() const {
    REQUIRE(sync.state() == state_sync::outcome::complete);
    REQUIRE(sync.header() == true_one().closing.back());
    REQUIRE(sync.finish(folder.path() / "ledger").has_value());
    const tables::ledger_store taken(folder.path() / "ledger");
    std::map<bytes, bytes> rows;
    taken.scan([&](byte_view key, byte_view value) {
      rows.emplace(copy(key), copy(value));
      return true;
    });
    CHECK(rows == true_one().last_rows);
  }
  scratch_directory folder;
  real_checker checker{true_one().closing[0].chain};
  state_sync sync;
};

/// Honest peers whose answers the test gives one by one. The peers are numbered from 1.
struct by_hand {
  struct asked_piece {
    std::uint32_t peer;
    peer::ask_state asked;
    std::uint64_t at_ms;
  };
  by_hand(std::uint32_t peers, state_sync_options options = {})
      : server(true_one().ledger, true_one().folder(true_one().closing.size() - 1)), one(options) {
    for (std::uint32_t peer = 1; peer <= peers; ++peer) connect(peer, peer);
    while (asked.empty()) pass(100);
  }
  void connect(std::uint32_t number, std::uint8_t key) {
    public_key whole{};
    whole[0] = key;
    step(state_sync::peer_connected{number, whole});
  }
  void step(const state_sync::event& next) {
    for (auto& effect : one.sync.step(next, now_ms)) {
      if (const auto* blame = std::get_if<state_sync::blame>(&effect)) {
        blamed.push_back(blame->peer);
      } else if (const auto* sent = std::get_if<state_sync::send>(&effect)) {
        const auto& question = std::get<peer::ask_state>(sent->message);
        if (question.height.value != 0) {
          asked.push_back({sent->to, question, now_ms});
        } else {
          ends.push_back({sent->to, question, now_ms});
        }
      }
    }
  }
  void pass(std::uint64_t ms) {
    now_ms += ms;
    step(state_sync::time_passed{});
    while (!ends.empty()) {
      const auto next = ends.front();
      ends.pop_front();
      give(next, answer_to(next));
    }
  }
  [[nodiscard]] peer::state_part answer_to(const asked_piece& which) {
    return server.answer(which.peer, which.asked, now_ms).value();
  }
  void give(const asked_piece& which, peer::state_part part) {
    const peer_message message(std::move(part));
    step(state_sync::received{which.peer, message});
  }
  /// Removes the first open question of this peer about this chunk and returns it.
  asked_piece take(std::uint32_t peer) {
    const auto at = std::ranges::find(asked, peer, &asked_piece::peer);
    REQUIRE(at != asked.end());
    const auto found = *at;
    asked.erase(at);
    return found;
  }
  void finish_honestly() {
    for (int i = 0; i < 1'000 && one.sync.state() == state_sync::outcome::running; ++i) {
      while (!asked.empty()) {
        const auto next = asked.front();
        asked.pop_front();
        give(next, answer_to(next));
      }
      pass(100);
    }
    one.check_taken();
  }

  soma::state_sync::state_server server;
  taker one;
  std::uint64_t now_ms = 1'000;
  std::deque<asked_piece> asked, ends;
  std::vector<std::uint32_t> blamed;
};

}  // namespace

TEST_CASE(
    "all peers are asked at the same time, for no more pieces and chunks than the window has") {
  state_sync_options options;
  options.window.chunks = 7;
  by_hand n(3, options);
  REQUIRE(n.asked.size() == 7);
  std::map<std::uint32_t, std::size_t> of_peer;
  std::set<std::uint32_t> chunks;
  for (const auto& one : n.asked) {
    ++of_peer[one.peer];
    chunks.insert(one.asked.chunk);
  }
  CHECK(of_peer == std::map<std::uint32_t, std::size_t>{{1, 3}, {2, 3}, {3, 1}});
  CHECK(chunks.size() == 7);
  CHECK(*chunks.rbegin() == 6);
  // Answers from the last one to the first one: nothing is taken before the front is here.
  while (n.asked.size() > 1) {
    const auto last = n.asked.back();
    n.asked.pop_back();
    n.give(last, n.answer_to(last));
    CHECK(n.one.sync.where().chunks_here == 0);
    CHECK(n.asked.size() < 7);
  }
  const auto front = n.asked.front();
  n.asked.pop_front();
  n.give(front, n.answer_to(front));
  CHECK(n.one.sync.where().chunks_here == 7);
  CHECK(n.asked.size() == 7);
  n.finish_honestly();
  CHECK(n.blamed.empty());
}

TEST_CASE("of three givers the one that lies is named alone, even if its chunk came early") {
  for (std::uint32_t who = 1; who <= 3; ++who) {
    CAPTURE(who);
    by_hand n(3);
    const auto lie = n.take(who);
    auto part = n.answer_to(lie);
    part.data.back() ^= 1;
    n.give(lie, part);
    n.finish_honestly();
    CHECK(n.blamed == std::vector<std::uint32_t>{who});
  }
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    CAPTURE(seed);
    auto n = network_of({conduct::honest, conduct::wrong_chunk, conduct::honest}, 400 + seed);
    taker one;
    REQUIRE(n.run(one.sync, 600'000) == state_sync::outcome::complete);
    one.check_taken();
    for (const auto& [how, why] : n.blames) CHECK(how == conduct::wrong_chunk);
    CHECK(n.blames.size() < 2);
    CHECK(n.pieces_asked[0] > 0);
    CHECK(n.pieces_asked[2] > 0);
  }
}

TEST_CASE("a liar that has left before its chunk is looked at is not heard when it comes back") {
  by_hand n(3);
  const auto lie = n.take(2);
  REQUIRE(lie.asked.chunk > 0);
  auto part = n.answer_to(lie);
  part.data.back() ^= 1;
  n.give(lie, part);
  n.step(state_sync::peer_gone{2});
  std::erase_if(n.asked, [](const auto& one) { return one.peer == 2; });
  // Another holder of this connection's number must not answer for the lie.
  n.connect(2, 9);
  for (int i = 0; i < 3; ++i) {
    const auto next = n.take(1);
    n.give(next, n.answer_to(next));
  }
  CHECK(n.one.sync.where().chunks_here == lie.asked.chunk);
  CHECK(n.blamed.empty());
  n.connect(4, 2);
  n.finish_honestly();
  CHECK(n.blamed.empty());
  CHECK(n.one.sync.where().peers == 3);  // the one that came back is not among them
}

TEST_CASE("what peers have given as a whole is kept when they leave") {
  by_hand n(2);
  std::vector<std::uint32_t> given;
  for (int i = 0; i < 3; ++i) {
    const auto next = n.take(2);
    given.push_back(next.asked.chunk);
    n.give(next, n.answer_to(next));
  }
  n.step(state_sync::peer_gone{2});
  std::erase_if(n.asked, [](const auto& one) { return one.peer == 2; });
  for (int i = 0; i < 3; ++i) {
    const auto next = n.take(1);
    n.give(next, n.answer_to(next));
  }
  CHECK(n.one.sync.where().chunks_here == 6);
  for (const auto& one : n.asked) {
    CHECK(std::ranges::find(given, one.asked.chunk) == given.end());
  }
  n.finish_honestly();
}

TEST_CASE("a peer that stalls does not hold up the others") {
  // No question waits for answer_ms: other peers are asked for what does not come.
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    CAPTURE(seed);
    auto n = network_of({conduct::skips, conduct::honest, conduct::honest}, 500 + seed);
    taker one;
    const auto began_ms = n.now_ms;
    REQUIRE(n.run(one.sync, 600'000) == state_sync::outcome::complete);
    one.check_taken();
    CHECK(n.blames.empty());
    CHECK(n.now_ms - began_ms < 8'000);
  }
}

TEST_CASE("answers \"later\" to all questions of a peer count as one, and it is asked on") {
  by_hand n(1);
  std::uint64_t last_ms = n.now_ms;
  const auto until_ms = n.now_ms + 28'000;
  while (n.now_ms < until_ms) {
    REQUIRE(n.asked.size() == 3);
    CHECK(n.asked.front().at_ms - last_ms <= 300);
    last_ms = n.asked.front().at_ms;
    while (!n.asked.empty()) {
      const auto next = n.take(1);
      peer::state_part part;
      part.later = true;
      part.epoch = next.asked.epoch;
      part.chunk = next.asked.chunk;
      part.from = next.asked.from;
      n.give(next, part);
    }
    while (n.asked.empty()) n.pass(50);
  }
  n.finish_honestly();
}

TEST_CASE("a server that gives less a second than is asked for is used to its limit, not past it") {
  by_hand n(1);
  soma::state_sync::state_server slow(true_one().ledger,
                                      true_one().folder(true_one().closing.size() - 1),
                                      {.peer_bytes_per_s = 4'000});
  std::size_t later = 0;
  const auto began_ms = n.now_ms;
  while (n.one.sync.state() == state_sync::outcome::running && n.now_ms < 100'000) {
    auto now = std::exchange(n.asked, {});
    for (const auto& next : now) {
      const auto part = slow.answer(1, next.asked, n.now_ms).value();
      later += part.later ? 1 : 0;
      n.give(next, part);
    }
    n.pass(50);
  }
  n.one.check_taken();
  CHECK(later > 10);
  CHECK(n.blamed.empty());
  // Some 25 chunks of 600 bytes and 256 for each answer.
  CHECK(n.now_ms - began_ms > 4'000);
  CHECK(n.now_ms - began_ms < 12'000);
}

TEST_CASE("honest peers with other cuts are no liars, and those that lure have one chance each") {
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    CAPTURE(seed);
    const auto other = seed % 2 == 0 ? conduct::odd_cut : conduct::lures;
    auto n = network_of({other, conduct::honest, other, conduct::honest, other}, 600 + seed);
    taker one;
    REQUIRE(n.run(one.sync, 600'000) == state_sync::outcome::complete);
    one.check_taken();
    CHECK(n.blames.empty());
    const auto anew = std::ranges::count_if(
        n.notes, [](const auto& line) { return line.find("fit those of no peer") != line.npos; });
    CHECK(anew <= 3);
  }
}

TEST_CASE("killed with chunks that came early, it asks for those again and for no other") {
  scratch_directory folder;
  real_checker checker(true_one().closing[0].chain);
  {
    by_hand n(3);
    for (std::uint32_t i = 0; i < 3; ++i) {  // chunks 0 to 2 are on the disk, 3 to 5 in memory
      const auto next = n.take(1);
      n.give(next, n.answer_to(next));
    }
    const auto early = n.take(3);
    n.give(early, n.answer_to(early));
    REQUIRE(n.one.sync.where().chunks_here == 3);
    std::filesystem::copy(n.one.folder.path() / "taking", folder.path() / "taking",
                          std::filesystem::copy_options::recursive);
  }
  auto n = network_of({conduct::honest, conduct::honest}, 7);
  state_sync sync(true_one().chain.genesis, folder.path() / "taking", checker);
  std::optional<std::uint32_t> first;
  REQUIRE(n.run(sync, 600'000, [&] {
    if (!first && sync.where().height.value != 0) first = sync.where().chunks_here;
  }) == state_sync::outcome::complete);
  CHECK(first == 3);
  CHECK(n.pieces_asked[0] + n.pieces_asked[1] ==
        soma::state_sync::snapshot_folder(true_one().folder(3), true).chunks() - 3);
  CHECK(sync.finish(folder.path() / "ledger").has_value());
}

TEST_CASE("in any order, with answers that are lost and peers that come and go, it gets there") {
  for (std::uint64_t seed = 0; seed < 25; ++seed) {
    CAPTURE(seed);
    dice d{seed};
    std::vector<conduct> all{conduct::honest, conduct::honest};
    for (auto more = d.below(3); more > 0; --more) all.push_back(conduct::leaves);
    if (d.chance(50)) all.push_back(conduct::skips);
    if (d.chance(50)) all.push_back(conduct::wrong_chunk);
    auto n = network_of(all, 700 + seed);
    n.lost_percent = d.below(20);
    state_sync_options options;
    options.window.chunks = static_cast<std::uint32_t>(1 + d.below(12));
    options.window.pieces = 1 + d.below(4);
    options.window.held_bytes = (1 + d.below(12)) * max_state_data_bytes;
    taker one(options);
    REQUIRE(n.run(one.sync, 3'600'000) == state_sync::outcome::complete);
    one.check_taken();
    for (const auto& [how, why] : n.blames) CHECK(how == conduct::wrong_chunk);
  }
}

}  // namespace soma::test
