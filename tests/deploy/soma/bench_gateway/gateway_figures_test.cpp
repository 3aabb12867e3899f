#include "deploy/soma/bench_gateway/gateway_figures.hpp"

#include <doctest/doctest.h>

using namespace soma;
using namespace soma::cli;

TEST_CASE("turns add up to rates, shares and percentiles") {
  load_figures turn;
  turn.good = 100;
  turn.seconds = 2;
  turn.client_cpu_seconds = 1;
  turn.body_bytes = 7;
  for (int i = 1; i <= 100; ++i) turn.good_ms.push_back(i);
  served_figures all;
  all.add(turn, 0.5);
  turn.refused = 3;
  turn.refusal = 429;
  all.add(turn, 1.5);
  CHECK(all.good == 200);
  CHECK(all.refused == 3);
  CHECK(all.refusal == 429);
  CHECK(all.per_s() == 50);
  CHECK(all.per_cpu_s() == 100);
  CHECK(all.client_share() == 0.5);
  CHECK(all.percentile_ms(0.5) == 51);
  CHECK(all.percentile_ms(0.99) == 100);
  CHECK(all.bytes == 7);
  CHECK(served_figures{}.per_s() == 0);
  CHECK(served_figures{}.percentile_ms(0.99) == 0);
}

TEST_CASE("there is a ratio where there is a peer, and none elsewhere") {
  gateway_comparison one{"rows", "a row", {}, std::nullopt};
  one.ours.good = 30;
  one.ours.seconds = one.ours.server_cpu_seconds = 1;
  auto other = one;
  other.peer = other.ours;
  other.peer->good = 60;
  other.peer->server_cpu_seconds = 4;
  CHECK(other.ratio() == 0.5);
  CHECK(other.cpu_ratio() == 2);
  const auto shown = figures_json({one, other}).text();
  CHECK(shown.find("\"ratio\": 0.5") != std::string::npos);
  CHECK(shown.find("\"ratio\"") == shown.rfind("\"ratio\""));
}
