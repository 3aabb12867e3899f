#include "actors/blob_exchange/fetcher.hpp"

#include <doctest/doctest.h>

#include "tests/actors/blob_exchange/exchange_world.hpp"

namespace soma::test {
namespace {

using blob_exchange::fetch_end;

constexpr std::uint64_t mib = 1u << 20;

std::vector<test_blob> some_blobs(std::uint64_t seed, std::size_t count) {
  crypto::seeded_random random(seed);
  std::vector<test_blob> all;
  for (std::size_t i = 0; i < count; ++i) {
    all.emplace_back(seed * 1'000 + i, 1 + random.below(i % 3 == 0 ? 5 * mib : 2'000));
  }
  return all;
}

bool is_honest(exchange_world& world, std::size_t home) {
  return world.at(home).how == conduct::honest;
}

}  // namespace

// By security §9.3. Half of the homes at most lie, in each way; connections break and homes are
// killed.
TEST_CASE("whatever others do, each home gets each blob that an honest home has, and no other") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    crypto::seeded_random random(seed);
    std::vector<conduct> homes(3, conduct::honest);
    for (auto liars = random.below(4); liars > 0; --liars) {
      homes.push_back(static_cast<conduct>(1 + random.below(conducts - 1)));
    }
    exchange_world::options how;
    how.delay_max_ms = 1 + random.below(400);
    how.breaks_every_ms = random.below(2) == 0 ? 0 : 20'000;
    exchange_world world(seed, homes, how);
    const auto blobs = some_blobs(seed, 6);
    for (const auto& blob : blobs) {
      world.at(random.below(3)).shelf.store(blob);
      for (std::size_t i = 3; i < world.size(); ++i) world.at(i).shelf.store(blob);
    }
    const auto want_all = [&](std::size_t home) {
      for (const auto& blob : blobs) {
        world.want(home, blob, random.below(2) == 0 ? blob_exchange::no_deadline : 2'000'000);
      }
    };
    for (std::size_t i = 0; i < 3; ++i) want_all(i);
    for (auto kills = random.below(3); kills > 0; --kills) {
      world.pass(random.below(3'000));
      const auto home = random.below(3);
      world.kill(home);
      world.pass(random.below(2'000));
      world.start(home);
      want_all(home);
    }
    const auto all_have_all = [&] {
      for (std::size_t i = 0; i < 3; ++i) {
        for (const auto& blob : blobs) {
          if (!world.at(i).shelf.equals(blob)) return false;
        }
      }
      return true;
    };
    CHECK(world.reaches(all_have_all, 1'000'000));
    for (std::size_t i = 0; i < 3; ++i) {
      CHECK(world.at(i).fetcher->wants() == 0);
      for (const auto& [blob, end] : world.at(i).done) CHECK(end == fetch_end::here);
    }
    for (const auto& [who, whom] : world.blames) CHECK_FALSE(is_honest(world, whom));
  }
}

TEST_CASE("bytes, lists and sizes that are wrong cost a peer its connection, and nothing else") {
  for (const auto how : {conduct::wrong_bytes, conduct::wrong_list, conduct::wrong_size}) {
    CAPTURE(static_cast<int>(how));
    exchange_world world(5, {conduct::honest, how, conduct::honest}, {});
    const test_blob blob(1, 3 * mib + 5);
    world.at(1).shelf.store(blob);
    world.want(0, blob);
    CHECK(world.reaches([&] { return !world.blames.empty(); }, 200'000));
    CHECK(world.blames.front() == std::pair<std::size_t, std::size_t>{0, 1});
    CHECK_FALSE(world.at(0).shelf.size_of_complete(blob.id));
    world.at(2).shelf.store(blob);
    CHECK(world.reaches([&] { return world.at(0).shelf.equals(blob); }, 100'000));
  }
}

TEST_CASE("a blob of another size than the wanted one is proven to have it, and is not fetched") {
  exchange_world world(6, {conduct::honest, conduct::honest}, {});
  const test_blob blob(1, 3 * mib);
  world.at(1).shelf.store(blob);
  world.want(0, blob.id, 1'000);
  CHECK(world.reaches([&] { return world.at(0).done.contains(blob.id); }, 10'000));
  CHECK(world.at(0).done.at(blob.id) == fetch_end::other_size);
  CHECK(world.at(0).shelf.kept == 0);
  CHECK(world.blames.empty());
  // No blob has these sizes, so that nobody is asked.
  const auto asked = world.questions;
  for (const auto size : {std::uint64_t{0}, max_exchanged_blob_bytes + 1}) {
    world.want(0, blob_id{{9}}, size);
    CHECK(world.at(0).done.at(blob_id{{9}}) == fetch_end::other_size);
  }
  CHECK(world.questions == asked);
}

TEST_CASE("a home that was killed goes on where it was, from others too") {
  exchange_world::options slow;
  slow.delay_max_ms = 100;
  exchange_world world(7, {conduct::honest, conduct::honest, conduct::honest}, slow);
  const test_blob blob(1, 40 * mib);
  world.at(1).shelf.store(blob);
  world.want(0, blob);
  CHECK(world.reaches([&] { return world.at(0).shelf.kept >= 15; }, 100'000));
  world.kill(0);
  world.kill(1);
  world.at(2).shelf.store(blob);
  world.start(0);
  world.want(0, blob);
  CHECK(world.reaches([&] { return world.at(0).shelf.equals(blob); }, 100'000));
  CHECK(world.at(0).shelf.kept == 40);  // none of them twice
  CHECK(world.chunks_given_by[2] <= 25);
}

TEST_CASE("what a disk refuses is tried again when it works") {
  exchange_world world(8, {conduct::honest, conduct::honest}, {});
  const test_blob blob(1, 2 * mib);
  world.at(1).shelf.store(blob);
  world.at(0).shelf.has_failed = true;
  world.want(0, blob);
  world.pass(30'000);
  CHECK(world.at(0).fetcher->wants(blob.id));
  CHECK(world.at(0).shelf.open() == 0);
  CHECK(world.questions < 20);  // it does not ask in vain all the time
  CHECK(world.at(0).not_kept[blob.id] > 0);
  world.at(0).shelf.has_failed = false;
  CHECK(world.reaches([&] { return world.at(0).shelf.equals(blob); }, 30'000));
}

TEST_CASE("what another role stores meanwhile is not fetched") {
  exchange_world world(9, {conduct::honest, conduct::honest}, {});
  const test_blob blob(1, 500);
  world.want(0, blob);
  world.pass(3'000);
  world.at(0).shelf.store(blob);
  CHECK(world.reaches([&] { return world.at(0).done.contains(blob.id); }, 31'000));
  CHECK(world.at(0).done.at(blob.id) == fetch_end::here);
  CHECK(world.questions == 0);
}

TEST_CASE("what is not wanted any more is not asked for") {
  exchange_world world(10, {conduct::honest, conduct::honest}, {});
  const test_blob blob(1, 100 * mib);
  world.at(1).shelf.store(blob);
  world.want(0, blob);
  CHECK(world.reaches([&] { return world.at(0).shelf.kept > 3; }, 100'000));
  (void)world.at(0).fetcher->step(blob_exchange::fetcher::not_wanted{blob.id}, world.now_ms());
  CHECK(world.at(0).fetcher->wants() == 0);
  CHECK(world.at(0).fetcher->in_flight() == 0);
  CHECK(world.at(0).shelf.open() == 0);
  const auto asked = world.questions;
  world.pass(60'000);
  CHECK(world.questions == asked);
}

}  // namespace soma::test
