#include "actors/mesh/misbehaviour_scores.hpp"

#include <doctest/doctest.h>

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
