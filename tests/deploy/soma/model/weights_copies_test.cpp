#include "deploy/soma/model/weights_copies.hpp"

#include <doctest/doctest.h>

using namespace soma;
using namespace soma::cli;

namespace {

std::vector<committee_seat> four_seats() {
  std::vector<committee_seat> seats;
  for (std::uint8_t i = 1; i <= 4; ++i) seats.push_back({address{{i}}, {i}, {2'500}, 0, 0});
  return seats;
}

/// A wait in which the members come to have the weights look by look.
struct scripted_wait {
  std::vector<copies_seen> looks;
  std::size_t stop_after = 1'000;
  std::size_t looked = 0;
  std::vector<std::string> shown;
  copy_count counted;

  copies_end run() {
    return wait_for_copies(
        counted,
        [&] {
          REQUIRE(looked < looks.size());
          return looks[looked++];
        },
        [&] { return looked >= stop_after; },
        [&](const std::string& text) { shown.push_back(text); });
  }
};

copies_seen seen(std::vector<public_key> holders, bool is_late = false) {
  return {four_seats(), std::move(holders), is_late};
}

}  // namespace

// By security §9.6.
TEST_CASE("the wait for copies ends when a quorum of power has said that it has them") {
  scripted_wait wait;
  wait.looks = {seen({{1}}), seen({{1}, {2}}), seen({{2}, {9}}), seen({{3}})};
  CHECK(wait.run() == copies_end::quorum);
  CHECK(wait.looked == 4);
  CHECK(wait.shown == std::vector<std::string>{"1 of 4 validators have the weights",
                                               "2 of 4 validators have the weights",
                                               "2 of 4 validators have the weights",
                                               "3 of 4 validators have the weights"});
  CHECK(wait.counted.power().value == 7'500);
}

TEST_CASE("what counts is power, and that of the present committee") {
  copy_count counted;
  auto seats = four_seats();
  seats[0].power = {6'667};
  seats[1].power = seats[2].power = seats[3].power = {1'111};
  counted.update(seats, {{2}, {3}, {4}});
  CHECK_FALSE(counted.is_quorum());
  CHECK(counted.copies() == 3);
  counted.update(seats, {{1}});
  CHECK(counted.is_quorum());
  seats.erase(seats.begin());
  counted.update(seats, {});
  CHECK(counted.copies() == 3);
  CHECK_FALSE(counted.is_quorum());
}

TEST_CASE("without a quorum the wait ends with its time, or with a stop") {
  scripted_wait late;
  late.looks = {seen({{1}}), seen({{1}, {2}}, true)};
  CHECK(late.run() == copies_end::late);
  CHECK(late.counted.text() == "2 of 4 validators have the weights");
  scripted_wait just_in_time;
  just_in_time.looks = {seen({{1}, {2}, {3}}, true)};
  CHECK(just_in_time.run() == copies_end::quorum);
  scripted_wait stopped;
  stopped.looks = {seen({{1}}), seen({{1}})};
  stopped.stop_after = 2;
  CHECK(stopped.run() == copies_end::stopped);
}

TEST_CASE("a validator that cannot ask has a quorum only if it is alone") {
  scripted_wait wait;
  wait.looks = {{four_seats(), std::nullopt, false}};
  CHECK(wait.run() == copies_end::unknown);
  scripted_wait alone;
  alone.looks = {{{{address{{1}}, {1}, total_power, 0, 0}}, std::nullopt, false}};
  CHECK(alone.run() == copies_end::quorum);
}
