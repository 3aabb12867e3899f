// Which peer is asked for which part: limits, and what is fair.
#include <doctest/doctest.h>

#include "tests/actors/blob_exchange/exchange_world.hpp"

namespace soma::test {
namespace {

constexpr std::uint64_t mib = 1u << 20;

}  // namespace

TEST_CASE("several peers give a blob at the same time, each about as much") {
  exchange_world::options slow;
  slow.delay_max_ms = 100;
  exchange_world world(1, std::vector<conduct>(5, conduct::honest), slow);
  const test_blob blob(1, 80 * mib);
  for (std::size_t i = 1; i < 5; ++i) world.at(i).shelf.store(blob);
  world.want(0, blob);
  CHECK(world.reaches([&] { return world.at(0).shelf.equals(blob); }, 100'000));
  CHECK(world.at(0).most_in_flight == 4);  // one of each
  for (std::size_t i = 1; i < 5; ++i) {
    CAPTURE(i);
    CHECK(world.chunks_given_by[i] >= 10);
    CHECK(world.chunks_given_by[i] <= 35);
  }
}

// By security §9.3 one part at a time is asked of a peer.
TEST_CASE("a peer is asked for one part at a time, however many blobs it has") {
  exchange_world world(6, {conduct::honest, conduct::honest}, {});
  for (std::uint64_t i = 0; i < 5; ++i) {
    const test_blob blob(i, 6 * mib);
    world.at(1).shelf.store(blob);
    world.want(0, blob);
  }
  CHECK(world.reaches([&] { return world.at(0).done.size() == 5; }, 100'000));
  CHECK(world.at(0).most_in_flight == 1);
}

// By security §9.3 blobs without a deadline leave half of the places to those that have one.
TEST_CASE("a blob with a deadline does not wait for the large ones that have none") {
  exchange_world::options slow;
  slow.delay_max_ms = 100;
  slow.fetcher.peer_in_flight = 2;
  exchange_world world(2, {conduct::honest, conduct::honest}, slow);
  std::vector<test_blob> large;
  for (std::uint64_t i = 0; i < 20; ++i) large.emplace_back(i, 30 * mib);
  for (const auto& blob : large) {
    world.at(1).shelf.store(blob);
    world.want(0, blob);
  }
  CHECK(world.reaches([&] { return world.at(0).shelf.kept > 4; }, 100'000));
  CHECK(world.at(0).fetcher->begun() == 4);
  const test_blob urgent(99, 2 * mib);
  world.at(1).shelf.store(urgent);
  world.want(0, urgent, world.now_ms() + 5'000);
  CHECK(world.reaches([&] { return world.at(0).shelf.equals(urgent); }, 5'000));
}

TEST_CASE("one large blob does not keep the others waiting, and all move on together") {
  exchange_world world(7, {conduct::honest, conduct::honest}, {});
  const test_blob large(1, 60 * mib);
  std::vector<test_blob> small;
  for (std::uint64_t i = 0; i < 3; ++i) small.emplace_back(10 + i, 5 * mib);
  world.at(1).shelf.store(large);
  world.want(0, large);
  for (const auto& blob : small) {
    world.at(1).shelf.store(blob);
    world.want(0, blob);
  }
  CHECK(world.reaches([&] { return world.at(0).done.size() == 3; }, 100'000));
  CHECK_FALSE(world.at(0).done.contains(large.id));
  CHECK(world.at(0).shelf.kept < 15 + 12);
}

TEST_CASE("peers that are silent cost their time once, and then the others are asked") {
  std::vector<conduct> homes(8, conduct::silent);
  homes[0] = homes[7] = conduct::honest;
  exchange_world world(3, homes, {});
  const test_blob blob(1, 30 * mib);
  world.at(7).shelf.store(blob);
  for (std::size_t i = 1; i < 7; ++i) world.at(i).shelf.store(blob);
  world.want(0, blob);
  CHECK(world.reaches([&] { return world.at(0).shelf.equals(blob); }, 240'000));
  CHECK(world.blames.empty());  // silence may be the network's fault
}

// By security §9.3 a question holds its place for 2 s, and strangers hold half of the places.
TEST_CASE("any number of peers that say later after 29 seconds keep nothing from a home") {
  for (const std::size_t liars : {0, 8, 16, 32}) {
    for (const bool are_large : {false, true}) {
      CAPTURE(liars);
      CAPTURE(are_large);
      // The liars come first in every order of peers.
      std::vector<conduct> homes(1 + liars, conduct::late_later);
      homes[0] = conduct::honest;
      homes.insert(homes.end(), 9, conduct::honest);
      exchange_world world(11, homes, {});
      std::vector<test_blob> blobs;
      for (std::uint64_t i = 0; i < (are_large ? 4 : 500); ++i) {
        blobs.emplace_back(i + 1, are_large ? 40 * mib : 1'000);
      }
      for (const auto& blob : blobs) {
        for (std::size_t i = 1; i < world.size(); ++i) world.at(i).shelf.store(blob);
        world.want(0, blob, world.now_ms() + 600'000);
      }
      // Without liars it takes up to 7 s. To find the honest peers takes the more, the more lie.
      const auto within_ms = 10'000 + 500 * liars;
      CHECK(world.reaches([&] { return world.at(0).done.size() == blobs.size(); }, within_ms));
      CHECK(world.blames.empty());
    }
  }
}

// The answer of a slow connection counts, though the part was asked for elsewhere meanwhile.
TEST_CASE("peers that need longer for a part than a question holds its place give a blob") {
  exchange_world::options slow;
  slow.delay_max_ms = 8'000;
  exchange_world world(12, std::vector<conduct>(4, conduct::honest), slow);
  const test_blob blob(1, 30 * mib);
  for (std::size_t i = 1; i < 4; ++i) world.at(i).shelf.store(blob);
  world.want(0, blob);
  CHECK(world.reaches([&] { return world.at(0).shelf.equals(blob); }, 300'000));
  CHECK(world.at(0).shelf.kept == 30);
  CHECK(world.questions < 60);  // fewer than two for each part
}

TEST_CASE("a blob that nobody has is sought ever more rarely, and found soon after a peer comes") {
  exchange_world world(4, {conduct::honest, conduct::honest}, {});
  const test_blob blob(1, 500);
  world.kill(1);
  world.want(0, blob);
  world.pass(300'000);
  world.at(1).shelf.store(blob);
  world.start(1);
  CHECK(world.reaches([&] { return world.at(0).shelf.equals(blob); }, 2'000));
}

TEST_CASE("thousands of blobs are sought in messages of 64, and all come") {
  exchange_world::options how;
  how.delay_max_ms = 5;
  exchange_world world(5, {conduct::honest, conduct::honest}, how);
  std::vector<test_blob> many;
  for (std::uint64_t i = 0; i < 2'000; ++i) many.emplace_back(i, 100);
  for (const auto& blob : many) {
    world.at(1).shelf.store(blob);
    world.want(0, blob);
  }
  CHECK(world.reaches([&] { return world.at(0).done.size() == many.size(); }, 120'000));
}

// A message that was never asked for is passed over, whatever it says.
TEST_CASE("parts that nobody asked for change nothing") {
  memory_shelf shelf;
  blob_exchange::fetcher one(shelf);
  const test_blob blob(1, 100);
  const peer::part part{{blob.id, false, 0}, *blob.chunks[0], false};
  CHECK(one.step(blob_exchange::fetcher::peer_connected{1}, 10).empty());
  CHECK(one.step(blob_exchange::fetcher::received{1, peer_message(part)}, 20).empty());
  CHECK(one.step(blob_exchange::fetcher::received{2, peer_message(part)}, 30).empty());
  const auto asks = one.step(blob_exchange::fetcher::wanted{blob.id, 100}, 40);
  REQUIRE(asks.size() == 1);
  CHECK(one.step(blob_exchange::fetcher::received{1, peer_message(part)}, 50).empty());
  CHECK(shelf.kept == 0);
}

}  // namespace soma::test
