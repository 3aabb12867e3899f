// The ledger is taken over from peers, of which all but one may lie, stall or leave.
#include "actors/state_sync/state_sync.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <set>

#include "tests/actors/state_sync/state_peers.hpp"

namespace soma::test {
namespace {

using consensus::testing::real_checker;
using state_sync::state_sync;

/// The true chain. It is made once, since tests only read it.
const told_ledger& true_one() {
  static const told_ledger made(21);
  return made;
}
/// The same validators sign another history from the genesis on.
const told_ledger& forked_one() {
  static const told_ledger made(22);
  return made;
}

state_network network_of(const std::vector<conduct>& all, std::uint64_t seed) {
  std::vector<state_peer> peers;
  for (std::size_t i = 0; i < all.size(); ++i) {
    peers.emplace_back(true_one(), forked_one(), all[i], seed * 50 + i);
  }
  return {std::move(peers), seed};
}

std::map<bytes, bytes> rows_of(const tables::ledger_store& store) {
  std::map<bytes, bytes> rows;
  store.scan([&](byte_view key, byte_view value) {
    rows.emplace(copy(key), copy(value));
    return true;
  });
  return rows;
}

soma::state_sync::state_sync_options trusting(epoch_number epoch) {
  soma::state_sync::state_sync_options options;
  options.trusted = {epoch, signing::id_of(true_one().closing[epoch.value])};
  return options;
}

void check_taken(const state_sync& sync, const std::filesystem::path& place) {
  REQUIRE(sync.header() == true_one().closing.back());
  const auto made = sync.finish(place);
  REQUIRE_MESSAGE(made.has_value(), (made ? "" : made.error()));
  const tables::ledger_store taken(place);
  CHECK(rows_of(taken) == true_one().last_rows);
  for (const auto& header : true_one().closing) {
    CHECK(taken.view().epoch_end(header.epoch)->headers.front() == header);
  }
}

bool is_blameable(conduct how) {
  using enum conduct;
  return how == wrong_chunk || how == endless_chunk || how == forged_proof || how == lying_height ||
         how == other_height || how == drips;
}

}  // namespace

// By security §8.6 lies cost time and nothing else.
TEST_CASE("one honest peer is enough, whatever the others do, and it is never blamed") {
  std::map<conduct, std::size_t> met, blamed;
  std::uint64_t longest_ms = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    CAPTURE(seed);
    dice d{seed};
    std::vector<conduct> all{conduct::honest};
    const bool is_forked = d.chance(30);
    if (is_forked) all.push_back(conduct::fork);
    for (auto liars = d.below(6); liars > 0; --liars) {
      const auto how = static_cast<conduct>(d.below(conducts));
      if (how == conduct::fork && !is_forked) continue;
      all.insert(all.begin() + static_cast<long>(d.below(all.size() + 1)), how);
    }
    auto n = network_of(all, seed);
    const scratch_directory folder;
    real_checker checker(true_one().closing[0].chain);
    state_sync sync(true_one().chain.genesis, folder.path() / "taking", checker,
                    is_forked ? trusting({d.below(4)}) : soma::state_sync::state_sync_options{});
    const auto began_ms = n.now_ms;
    REQUIRE(n.run(sync, 3'600'000) == state_sync::outcome::complete);
    longest_ms = std::max(longest_ms, n.now_ms - began_ms);
    check_taken(sync, folder.path() / "ledger");
    for (const auto& [how, why] : n.blames) {
      CAPTURE(why);
      CHECK((is_blameable(how) || how == conduct::fork));
      ++blamed[how];
    }
    for (const auto how : all) ++met[how];
  }
  for (std::size_t i = 0; i < conducts; ++i) {
    CAPTURE(i);
    CHECK(met[static_cast<conduct>(i)] > 2);
    if (is_blameable(static_cast<conduct>(i))) CHECK(blamed[static_cast<conduct>(i)] > 0);
  }
  CHECK(blamed[conduct::fork] > 0);
  MESSAGE("longest: " << longest_ms << " ms");
}

TEST_CASE(
    "each way to lie is met by a dropped peer or a waiting one, and one honest peer does it") {
  const std::uint64_t seeds = std::getenv("SOMA_ALL_CASES") != nullptr ? 20 : 2;
  for (std::size_t i = 1; i < conducts; ++i) {
    const auto how = static_cast<conduct>(i);
    for (std::uint64_t seed = 0; seed < seeds; ++seed) {
      CAPTURE(i);
      CAPTURE(seed);
      auto n = network_of({how, how, conduct::honest}, 1'000 + seed);
      const scratch_directory folder;
      real_checker checker(true_one().closing[0].chain);
      state_sync sync(
          true_one().chain.genesis, folder.path() / "taking", checker,
          how == conduct::fork ? trusting({1}) : soma::state_sync::state_sync_options{});
      REQUIRE(n.run(sync, 3'600'000) == state_sync::outcome::complete);
      check_taken(sync, folder.path() / "ledger");
      if (!is_blameable(how) && how != conduct::fork) CHECK(n.blames.empty());
      if (how == conduct::lying_height || how == conduct::other_height || how == conduct::fork) {
        CHECK(n.blames.size() == 2);
      }
    }
  }
}

TEST_CASE("of two signed histories neither is taken, unless a block of one of them is known") {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    CAPTURE(seed);
    auto n = network_of({conduct::fork, conduct::honest, conduct::honest}, seed);
    const scratch_directory folder;
    real_checker checker(true_one().closing[0].chain);
    state_sync sync(true_one().chain.genesis, folder.path() / "taking", checker);
    CHECK(n.run(sync, 600'000) == state_sync::outcome::contradiction);
    CHECK(n.blames.empty());
  }
}

// By security §8.6 nothing is believed without a quorum's signatures.
TEST_CASE("without an honest peer nothing false is ever taken") {
  std::size_t none = 0, true_and_old = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    CAPTURE(seed);
    dice d{seed};
    std::vector<conduct> all;
    for (auto liars = 1 + d.below(4); liars > 0; --liars) {
      const auto how = static_cast<conduct>(1 + d.below(conducts - 1));
      if (how != conduct::fork) all.push_back(how);
    }
    auto n = network_of(all, seed);
    const scratch_directory folder;
    real_checker checker(true_one().closing[0].chain);
    state_sync sync(true_one().chain.genesis, folder.path() / "taking", checker);
    if (n.run(sync, 3'600'000) == state_sync::outcome::complete) {
      const auto header = sync.header().value();
      CHECK(header == true_one().closing[header.epoch.value]);
      CHECK(sync.finish(folder.path() / "ledger").has_value());
      ++true_and_old;
    } else {
      ++none;
    }
  }
  CHECK(none > 0);
  CHECK(true_and_old > 0);
}

TEST_CASE("killed again and again it goes on behind the chunks that it has") {
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    CAPTURE(seed);
    auto n = network_of({conduct::honest, conduct::leaves, conduct::honest}, seed);
    const scratch_directory folder;
    real_checker checker(true_one().closing[0].chain);
    std::uint32_t here = 0, lives = 0;
    for (;; ++lives) {
      REQUIRE(lives < 200);
      state_sync sync(true_one().chain.genesis, folder.path() / "taking", checker);
      n.is_killed = false;
      std::optional<std::uint32_t> first;
      const auto outcome = n.run(sync, 600'000, [&] {
        const auto at = sync.where();
        if (at.height.value == 0) return;
        if (!first) first = at.chunks_here;
        n.is_killed = at.chunks_here > *first;
      });
      REQUIRE(first.value_or(here) >= here);
      if (outcome == state_sync::outcome::complete) {
        check_taken(sync, folder.path() / "ledger");
        break;
      }
      here = sync.where().chunks_here;
    }
    CHECK(lives > 3);
    CHECK_FALSE(std::filesystem::exists(folder.path() / "taking"));
  }
}

TEST_CASE("after a kill it goes on with the snapshot that it has begun, as long as a peer has it") {
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    CAPTURE(seed);
    const scratch_directory folder;
    real_checker checker(true_one().closing[0].chain);
    auto old_ones = network_of({conduct::stale}, seed);
    {
      state_sync first(true_one().chain.genesis, folder.path() / "taking", checker);
      (void)old_ones.run(first, 600'000,
                         [&] { old_ones.is_killed = first.where().chunks_here >= 2; });
      REQUIRE(first.where().chunks_here >= 2);
    }
    const bool is_there = seed % 2 == 0;
    auto n = network_of({conduct::honest, is_there ? conduct::stale : conduct::honest}, 300 + seed);
    state_sync sync(true_one().chain.genesis, folder.path() / "taking", checker);
    REQUIRE(n.run(sync, 600'000) == state_sync::outcome::complete);
    const auto taken = sync.header().value();
    CHECK((taken == true_one().closing.back()) == !is_there);
    CHECK(taken == true_one().closing[taken.epoch.value]);
    CHECK(sync.finish(folder.path() / "ledger").has_value());
  }
}

TEST_CASE("when those that serve have gone on to another snapshot, it goes on with that one") {
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    CAPTURE(seed);
    const scratch_directory folder;
    // The peers with an old snapshot leave in the middle, and peers with the newest one come.
    auto old_ones = network_of({conduct::stale, conduct::stale}, seed);
    real_checker checker(true_one().closing[0].chain);
    state_sync sync(true_one().chain.genesis, folder.path() / "taking", checker);
    std::uint32_t got = 0;
    (void)old_ones.run(sync, 600'000, [&] {
      got = sync.where().chunks_here;
      old_ones.is_killed = got >= 2;
    });
    REQUIRE(got >= 2);
    auto new_ones = network_of({conduct::honest, conduct::honest}, 90 + seed);
    new_ones.now_ms = old_ones.now_ms;
    for (std::uint32_t peer = 1; peer <= 2; ++peer) {
      (void)sync.step(state_sync::peer_gone{peer}, new_ones.now_ms);
    }
    REQUIRE(new_ones.run(sync, 600'000) == state_sync::outcome::complete);
    check_taken(sync, folder.path() / "ledger");
  }
}

TEST_CASE("without any snapshot it ends soon, and without any peer it waits") {
  const scratch_directory folder, empty;
  tables::ledger_store young(empty.path() / "ledger");
  young.init(encode(true_one().chain.genesis), rules::genesis_rows(true_one().chain.genesis));
  soma::state_sync::state_server server(young, {});
  real_checker checker(true_one().closing[0].chain);
  state_sync sync(true_one().chain.genesis, folder.path() / "taking", checker);
  std::uint64_t now_ms = 0;
  for (; now_ms < 1'000'000; now_ms += 100) (void)sync.step(state_sync::time_passed{}, now_ms);
  CHECK(sync.state() == state_sync::outcome::running);
  const auto began_ms = now_ms;
  auto effects = sync.step(state_sync::peer_connected{1, {}}, now_ms);
  for (; sync.state() == state_sync::outcome::running && now_ms < 2'000'000; now_ms += 100) {
    for (const auto& one : effects) {
      const auto& asked = std::get<peer::ask_state>(std::get<state_sync::send>(one).message);
      const peer_message answer = server.answer(1, asked, now_ms).value();
      (void)sync.step(state_sync::received{1, answer}, now_ms);
    }
    effects = sync.step(state_sync::time_passed{}, now_ms);
  }
  CHECK(sync.state() == state_sync::outcome::no_snapshot);
  CHECK(now_ms - began_ms < 5'000);
}

// By security §8.5 the answers to a peer are bounded.
TEST_CASE("a peer that asks for too much is told to ask later, then nothing; others are served") {
  const auto last = true_one().closing.size() - 1;
  soma::state_sync::state_server server(true_one().ledger, true_one().folder(last));
  const peer::ask_state piece{{last}, true_one().closing.back().height, 0, 0};
  std::size_t bytes_given = 0, later = 0, nothing = 0;
  for (int i = 0; i < 200'000; ++i) {
    const auto part = server.answer(1, piece, 5'000);
    if (!part) {
      ++nothing;
    } else if (part->later) {
      ++later;
    } else {
      bytes_given += part->data.size();
    }
  }
  CHECK(bytes_given > 0);
  CHECK(bytes_given <= (std::size_t{8} << 20) + max_state_data_bytes);
  CHECK(nothing >= 198'000);
  const auto other = server.answer(2, piece, 5'000);
  REQUIRE(other.has_value());
  CHECK_FALSE(other->data.empty());
  CHECK_FALSE(server.answer(1, piece, 6'000)->data.empty());
  CHECK_FALSE(server.wants_snapshot(10'000));  // a peer is taking this one
  CHECK(server.wants_snapshot(100'000));
  for (const auto& odd :
       {peer::ask_state{{last}, piece.height, 1'000'000, 0},
        peer::ask_state{{last}, piece.height, 0, ~0u}, peer::ask_state{{last}, {~0ull}, 0, 0}}) {
    const auto part = server.answer(3, odd, 7'000);
    REQUIRE(part.has_value());
    CHECK(part->data.empty());
    CHECK(part->height == piece.height);
  }
}

}  // namespace soma::test
