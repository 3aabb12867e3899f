#include <doctest/doctest.h>

#include <cstdlib>

#include "tests/functional/kill_campaign.hpp"

using namespace soma::support;

TEST_CASE("killing any process at any time loses no final transaction and never forks") {
  kill_campaign_options wanted;
  wanted.binary = SOMA_BINARY;
  if (const auto* seconds = std::getenv("SOMA_KILL_SECONDS")) {
    wanted.seconds = static_cast<unsigned>(std::atoi(seconds));
  }
  if (const auto* seed = std::getenv("SOMA_KILL_SEED")) {
    wanted.seed = static_cast<std::uint64_t>(std::atoll(seed));
  }
  CAPTURE(wanted.seed);
  const auto found = run_kill_campaign(wanted);
  for (const auto& why : found.wrong) FAIL_CHECK(why);
  CHECK(found.kills > 0);
  CHECK(found.acknowledged > 0);
  MESSAGE(found.kills << " kills, " << found.halts << " halts, " << found.blocks << " blocks, "
                      << found.acknowledged << " transactions, longest pause "
                      << found.longest_pause_ms << " ms");
}
