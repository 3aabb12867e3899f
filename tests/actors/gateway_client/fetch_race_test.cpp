#include "actors/gateway_client/fetch_race.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>

using namespace soma;
using namespace soma::gateway_client;

namespace {

using std::chrono::milliseconds;

/// A gateway that answers after its time, or fails at once when it is cancelled.
struct slow_gateway {
  std::atomic<int> takes_ms{0}, asked{0};
  std::atomic<bool> is_cancelled{false}, fails{false};
  std::atomic<std::uint8_t> says = 0;

  fetch_race::runner runner() {
    return {[this](const rows_question&) -> fetched {
              ++asked;
              const auto until = std::chrono::steady_clock::now() + milliseconds(takes_ms);
              while (std::chrono::steady_clock::now() < until && !is_cancelled) {
                std::this_thread::sleep_for(milliseconds(1));
              }
              if (is_cancelled || fails) return make_unexpected(fetch_error(fetch_failure::silent));
              return bytes{says.load()};
            },
            [this] { is_cancelled = true; }};
  }
};

}  // namespace

TEST_CASE("answers come in the order in which they are ready, and each comes once") {
  slow_gateway slow, quick;
  slow.takes_ms = 60;
  slow.says = 1;
  quick.says = 2;
  fetch_race race({slow.runner(), quick.runner()});
  race.start(0, {});
  CHECK(!race.wait(5));
  race.start(1, {});
  CHECK(race.running() == std::vector<std::size_t>{0, 1});
  const auto first = race.wait(1'000);
  REQUIRE(first.has_value());
  CHECK(first->which == 1);
  CHECK(first->answer.value() == bytes{2});
  const auto second = race.wait(1'000);
  REQUIRE(second.has_value());
  CHECK(second->which == 0);
  CHECK(second->answer.value() == bytes{1});
  CHECK(second->took_ms >= 60);
  CHECK(race.running().empty());
}

TEST_CASE("what was given up is never told, and its gateway is busy until it ends") {
  slow_gateway slow;
  slow.takes_ms = 60;
  fetch_race race({slow.runner()});
  race.start(0, {});
  CHECK(!race.wait(1));
  CHECK(!race.is_busy(0));
  race.give_up();
  CHECK(race.is_busy(0));
  slow.takes_ms = 0;
  slow.says = 7;
  race.start(0, {});  // waits for the first question
  const auto got = race.wait(1'000);
  REQUIRE(got.has_value());
  CHECK(got->answer.value() == bytes{7});
  CHECK(!race.is_busy(0));
  CHECK(slow.asked == 2);
  CHECK(race.late_failures().empty());
}

TEST_CASE("that a question failed which was given up can be learnt once") {
  slow_gateway broken;
  broken.takes_ms = 20;
  broken.fails = true;
  fetch_race race({broken.runner()});
  race.start(0, {});
  race.give_up();
  CHECK(race.late_failures().empty());
  while (race.is_busy(0)) std::this_thread::sleep_for(milliseconds(1));
  const auto late = race.late_failures();
  REQUIRE(late.size() == 1);
  CHECK(late[0].first == 0);
  CHECK(late[0].second.kind == fetch_failure::silent);
  CHECK(race.late_failures().empty());
}

TEST_CASE("the end of a race does not wait for slow gateways") {
  slow_gateway slow;
  slow.takes_ms = 60'000;
  const auto began = std::chrono::steady_clock::now();
  {
    fetch_race race({slow.runner()});
    race.start(0, {});
  }
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(10));
}
