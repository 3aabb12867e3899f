#include "actors/blob_exchange/server.hpp"

#include <doctest/doctest.h>

#include "tests/actors/blob_exchange/memory_shelf.hpp"

namespace soma::test {
namespace {

using blob_exchange::server;
using blob_exchange::server_options;

constexpr std::size_t mib = std::size_t{1} << 20;

/// A home with one blob of two chunks, and peers 1 to 9, of which 9 is no member.
struct serving_home {
  explicit serving_home(server_options options = {}) : one(shelf, options) {
    shelf.store(blob);
    std::set<public_key> members;
    for (std::uint8_t i = 1; i <= 9; ++i) {
      one.peer_connected(i, public_key{i});
      if (i < 9) members.insert(public_key{i});
    }
    one.set_members(members);
  }
  struct answers {
    std::size_t given = 0, later = 0, silent = 0;
    friend bool operator==(const answers&, const answers&) = default;
  };
  answers ask(std::uint32_t peer, int questions, std::uint64_t now_ms) {
    answers seen;
    for (int i = 0; i < questions; ++i) {
      const auto answer = one.answer(peer, peer::get{{blob.id, false, 0}}, now_ms);
      if (!answer) {
        ++seen.silent;
      } else {
        ++(std::get<peer::part>(*answer).later ? seen.later : seen.given);
      }
    }
    return seen;
  }

  test_blob blob{1, mib + 7};
  memory_shelf shelf;
  server one;
};
using seen = serving_home::answers;

}  // namespace

TEST_CASE("a member gets what is here, each part as it was asked for") {
  serving_home home;
  const auto have = home.one.answer(1, peer::seek{{blob_id{{5}}, home.blob.id}}, 1'000);
  REQUIRE(have);
  const auto& named = std::get<peer::have>(*have).blobs;
  CHECK(named == std::vector<peer::have::entry>{{home.blob.id, mib + 7}});
  CHECK_FALSE(home.one.answer(1, peer::seek{{blob_id{{5}}}}, 1'000));
  const auto part = [&](const peer::blob_part& which) {
    return std::get<peer::part>(*home.one.answer(1, peer::get{which}, 1'000));
  };
  for (std::uint32_t i = 0; i < 2; ++i) {
    CHECK(part({home.blob.id, false, i}).data == *home.blob.chunks[i]);
    CHECK(part({home.blob.id, false, i}).answered == peer::blob_part{home.blob.id, false, i});
  }
  CHECK(part({home.blob.id, true, 0}).data == page_of(home.blob.list, 0));
  for (const auto& which :
       {peer::blob_part{home.blob.id, false, 2}, peer::blob_part{home.blob.id, true, 1},
        peer::blob_part{blob_id{{5}}, false, 0}}) {
    CHECK(part(which).data.empty());
    CHECK(part(which).answered == which);
    CHECK_FALSE(part(which).later);
  }
  CHECK_FALSE(home.one.answer(1, peer::hello{}, 1'000));
}

// By security §8.7 only members are given blobs.
TEST_CASE("to a stranger a home has no blobs, and so to a member that has left") {
  serving_home home;
  CHECK_FALSE(home.one.answer(9, peer::seek{{home.blob.id}}, 1'000));
  CHECK_FALSE(home.one.answer(9, peer::get{{home.blob.id, false, 0}}, 1'000));
  CHECK_FALSE(home.one.answer(77, peer::get{{home.blob.id, false, 0}}, 1'000));
  CHECK(home.ask(2, 1, 1'000) == seen{1, 0, 0});
  home.one.set_members({public_key{1}});
  CHECK(home.ask(2, 1, 1'000) == seen{0, 0, 1});
  CHECK(home.ask(1, 1, 1'000) == seen{1, 0, 0});
  home.one.peer_gone(1);
  CHECK(home.ask(1, 1, 1'000) == seen{0, 0, 1});
}

// By security §8.7: what the ledger names is no secret.
TEST_CASE("a stranger is told of the blobs that the ledger names, a few times a second") {
  server_options options;
  options.stranger_questions_per_s = 3;
  serving_home home(options);
  const test_blob secret(2, 1'000);
  home.shelf.store(secret);
  home.one.set_named([&](const blob_id& blob) { return blob == home.blob.id; });
  const auto sought = peer::seek{{secret.id, home.blob.id}};
  for (int i = 0; i < 3; ++i) {
    const auto have = home.one.answer(9, sought, 1'000);
    REQUIRE(have);
    CHECK(std::get<peer::have>(*have).blobs ==
          std::vector<peer::have::entry>{{home.blob.id, mib + 7}});
  }
  CHECK_FALSE(home.one.answer(9, sought, 1'999));
  CHECK(home.one.answer(9, sought, 2'000));
  CHECK_FALSE(home.one.answer(9, peer::seek{{secret.id}}, 2'000));
  CHECK_FALSE(home.one.answer(9, peer::get{{home.blob.id, false, 0}}, 3'000));
}

// By security §8.7 the questions, the bytes of each peer and those of all are limited.
TEST_CASE("a peer above its bytes is told to ask later, and above its questions it hears nothing") {
  CHECK(server_options{}.peer_bytes_per_s == 16 * mib);
  CHECK(server_options{}.all_bytes_per_s == 64 * mib);
  CHECK(server_options{}.peer_questions_per_s == 256);
  serving_home home(
      {.peer_bytes_per_s = 4 * mib, .all_bytes_per_s = 6 * mib, .peer_questions_per_s = 10});
  CHECK(home.ask(1, 12, 5'000) == seen{4, 6, 2});
  CHECK(home.ask(2, 12, 5'900) == seen{2, 8, 2});
  CHECK(home.ask(3, 1, 5'999) == seen{0, 1, 0});
}

TEST_CASE("when many ask, each has an equal share, and each gets a part") {
  serving_home home(
      {.peer_bytes_per_s = 4 * mib, .all_bytes_per_s = 8 * mib, .peer_questions_per_s = 10});
  for (std::uint32_t peer = 1; peer <= 4; ++peer) (void)home.ask(peer, 1, 5'000);
  // In this second all four ask again. The first two are greedy and still leave the others theirs.
  for (std::uint32_t peer = 1; peer <= 4; ++peer) {
    CHECK(home.ask(peer, 10, 6'000) == seen{2, 8, 0});
  }
  // A second without questions forgets them.
  CHECK(home.ask(1, 10, 8'000) == seen{4, 6, 0});
}

}  // namespace soma::test
