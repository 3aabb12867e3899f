#include "actors/gateway_client/distrust.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

using namespace soma::gateway_client;

TEST_CASE("every reason for distrust has a text of its own, and lies are told from silence") {
  std::vector<std::string_view> seen;
  std::size_t lies = 0;
  for (std::uint8_t i = 1; i <= static_cast<std::uint8_t>(distrust::other_network); ++i) {
    const auto reason = static_cast<distrust>(i);
    seen.push_back(to_text(reason));
    CHECK(std::ranges::count(seen, seen.back()) == 1);
    CHECK(seen.back() != "unknown");
    lies += is_lie(reason) ? 1 : 0;
  }
  CHECK(lies == 16);
  CHECK_FALSE(is_lie(distrust::not_itself));
  CHECK_FALSE(is_lie(distrust::other_version));
  CHECK_FALSE(is_lie(distrust::silent));
  CHECK_FALSE(is_lie(distrust::declined));
  CHECK(is_lie(distrust::forged_row));
  CHECK_FALSE(is_lie(distrust::stale));
  CHECK_FALSE(is_lie(distrust::unsafe_gap));
}
