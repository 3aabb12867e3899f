#include "actors/mesh/misbehaviour_scores.hpp"

#include <doctest/doctest.h>

#include <string>

#include "actors/mesh/mesh.hpp"

using soma::mesh::misbehaviour_scores;

TEST_CASE("points add up to a refusal, and a refusal ends") {
  misbehaviour_scores all({100, 1'000, 5'000});
  CHECK_FALSE(all.add("a", 60, 0));
  CHECK_FALSE(all.add("b", 99, 0));
  CHECK(all.add("a", 40, 10));
  all.refuse("a", 10);
  CHECK(all.is_refused("a", 5'009));
  CHECK_FALSE(all.is_refused("a", 5'010));
  CHECK_FALSE(all.is_refused("b", 10));
  CHECK_FALSE(all.add("a", 99, 20));  // the points began anew
}

// By security §6.1 points fade with time.
TEST_CASE("half of the points are forgotten after every forget_ms") {
  misbehaviour_scores all({100, 1'000, 5'000});
  CHECK_FALSE(all.add("a", 80, 0));
  CHECK_FALSE(all.add("a", 59, 1'000));  // 40 + 59
  CHECK_FALSE(all.add("a", 75, 3'999));  // 99 -> 49 -> 24, and 75
  CHECK(all.add("a", 51, 4'000));        // 99 -> 49, and 51
}

// By security §6.3 points are kept for a bounded number of names.
TEST_CASE("many points do not overflow, and the number of known names is bounded") {
  misbehaviour_scores all({100, 1'000, 5'000});
  CHECK(all.add("a", UINT32_MAX, 0));
  all.refuse("a", 0);
  for (std::uint32_t i = 0; i < 3 * misbehaviour_scores::max_records; ++i) {
    CHECK_FALSE(all.add("stranger " + std::to_string(i), 1, 1));
  }
  CHECK(all.size() == misbehaviour_scores::max_records);
  CHECK(all.is_refused("a", 2));  // new names do not drive out a refused one
}

// By security §6.3 there are at most 1,024 names, and a refused name goes last.
TEST_CASE("of more than 1,024 names that with the shortest refusal and the fewest points goes") {
  misbehaviour_scores all({100, 1'000'000, 5'000});
  for (std::uint32_t i = 0; i < 1'024; ++i) {
    CHECK_FALSE(all.add("peer " + std::to_string(i), i == 7 ? 10 : 20, 0));
  }
  CHECK(all.size() == 1'024);
  CHECK_FALSE(all.add("one more", 50, 0));
  CHECK(all.size() == 1'024);
  CHECK(all.add("peer 8", 80, 0));        // it is still known, and has 100 points
  CHECK_FALSE(all.add("peer 7", 90, 0));  // it was forgotten, and has 90 points only
}

// The numbers of security §4 to §6.
TEST_CASE("the limits of a mesh are those of the text") {
  const soma::mesh::mesh_limits l;
  CHECK(l.handshake_ms == 5'000);
  CHECK(l.header_ms == 5'000);
  CHECK(l.body_ms == 5'000);
  CHECK(l.body_bytes_per_second == 16 * 1'024);
  CHECK(l.idle_ms == 60'000);
  CHECK(l.pending_per_address == 8);
  CHECK(l.pending == 128);
  CHECK(l.strangers == 64);
  CHECK(l.strangers_per_address == 8);
  CHECK(l.member.in_flight_bytes == 2u << 20);
  CHECK(l.member.write_queue_bytes == 4u << 20);
  CHECK(l.stranger.in_flight_bytes == 256u << 10);
  CHECK(l.stranger.write_queue_bytes == 2u << 20);
  CHECK(l.refuse_at == 100);
  CHECK(l.forget_ms == 60'000);
  CHECK(l.refuse_for_ms == 60'000);
}
