#include "actors/blob_exchange/placement.hpp"

#include <doctest/doctest.h>

#include "tests/actors/blob_exchange/exchange_world.hpp"

namespace soma::test {
namespace {

using blob_exchange::copies_kept;
using blob_exchange::keepers_of;
using blob_exchange::keeps;

std::vector<public_key> some_members(crypto::seeded_random& random, std::size_t count) {
  std::vector<public_key> all(count);
  for (auto& key : all) random.fill(key);
  return all;
}

}  // namespace

// By security §9.4 three members keep a copy.
TEST_CASE(
    "each blob has its keepers, whatever the order of the members, and all have their share") {
  CHECK(copies_kept == 3);
  crypto::seeded_random random(1);
  auto members = some_members(random, 10);
  std::map<public_key, std::size_t> kept;
  constexpr std::size_t blobs = 2'000;
  for (std::size_t i = 0; i < blobs; ++i) {
    const auto blob = random.next_id<blob_id>();
    const auto keepers = keepers_of(blob, members);
    REQUIRE(keepers.size() == copies_kept);
    REQUIRE(std::set<public_key>(keepers.begin(), keepers.end()).size() == copies_kept);
    std::ranges::reverse(members);
    REQUIRE(keepers_of(blob, members) == keepers);
    for (const auto& key : members) {
      const bool is_keeper = std::ranges::find(keepers, key) != keepers.end();
      REQUIRE(keeps(key, blob, members) == is_keeper);
      kept[key] += is_keeper;
    }
  }
  for (const auto& [key, count] : kept) {
    CHECK(count > blobs * copies_kept / 10 * 8 / 10);
    CHECK(count < blobs * copies_kept / 10 * 12 / 10);
  }
  CHECK(keepers_of(blob_id{{1}}, {}).empty());
  CHECK(keepers_of(blob_id{{1}}, std::span(members).first(2)).size() == 2);
}

TEST_CASE("when a member leaves, only its blobs get a new keeper") {
  crypto::seeded_random random(2);
  for (int round = 0; round < 300; ++round) {
    const auto members = some_members(random, 4 + random.below(20));
    const auto blob = random.next_id<blob_id>();
    const auto before = keepers_of(blob, members);
    auto fewer = members;
    const auto gone = fewer[random.below(fewer.size())];
    std::erase(fewer, gone);
    const auto after = keepers_of(blob, fewer);
    std::size_t stay = 0;
    for (const auto& key : before) stay += std::ranges::find(after, key) != after.end();
    CHECK(stay == (keeps(gone, blob, members) ? copies_kept - 1 : copies_kept));
  }
}

// By security §9.4 copies are repaired when members leave.
TEST_CASE("homes that fetch what they should keep repair the copies while members leave") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    CAPTURE(seed);
    exchange_world world(seed, std::vector<conduct>(9, conduct::honest), {});
    std::vector<test_blob> blobs;
    for (std::uint64_t i = 0; i < 20; ++i) blobs.emplace_back(seed * 100 + i, 1 + 3'000 * i);
    for (const auto& blob : blobs) world.at(world.random.below(9)).shelf.store(blob);
    const auto place = [&] {
      const auto members = world.members();
      for (std::size_t i = 0; i < world.size(); ++i) {
        if (!world.at(i).runs) continue;
        for (const auto& blob : blobs) {
          if (keeps(world.at(i).key, blob.id, members)) world.want(i, blob);
        }
      }
    };
    const auto copies_of = [&](const test_blob& blob) {
      std::size_t copies = 0;
      for (std::size_t i = 0; i < world.size(); ++i) {
        copies += world.at(i).runs && world.at(i).shelf.equals(blob);
      }
      return copies;
    };
    const auto is_placed = [&] {
      return std::ranges::all_of(blobs, [&](const auto& b) { return copies_of(b) >= copies_kept; });
    };
    place();
    REQUIRE(world.reaches(is_placed, 60'000));
    // Two members leave at a time, so that each blob still has a copy.
    for (std::size_t gone = 0; gone < 6; gone += 2) {
      world.kill(gone);
      world.kill(gone + 1);
      place();
      REQUIRE(world.reaches(is_placed, 60'000));
    }
  }
}

}  // namespace soma::test
