#include "actors/gateway/blob_range.hpp"

#include <doctest/doctest.h>

#include <string>

#include "messages/values/splitmix64.hpp"

using namespace soma;
using namespace soma::gateway;

namespace {

std::string shown(std::optional<std::string_view> header, std::uint64_t size) {
  const auto range = range_in(header, size);
  if (range.kind == range_kind::not_satisfied) return "none";
  const auto text = std::to_string(range.first) + "-" + std::to_string(range.last);
  return (range.kind == range_kind::whole ? "whole " : "") + text;
}

}  // namespace

TEST_CASE("a range has its bytes, ends at the end, and is none beyond it") {
  CHECK(shown(std::nullopt, 10) == "whole 0-9");
  CHECK(shown("bytes=0-0", 10) == "0-0");
  CHECK(shown("bytes=2-5", 10) == "2-5");
  CHECK(shown("bytes=2-", 10) == "2-9");
  CHECK(shown("bytes=9-9", 10) == "9-9");
  CHECK(shown("bytes=0-9", 10) == "0-9");
  CHECK(shown("bytes=5-100", 10) == "5-9");
  CHECK(shown("bytes=-3", 10) == "7-9");
  CHECK(shown("bytes=-10", 10) == "0-9");
  CHECK(shown("bytes=-100", 10) == "0-9");
  CHECK(shown("bytes=0-0", 1) == "0-0");
  CHECK(shown("bytes=10-", 10) == "none");
  CHECK(shown("bytes=10-20", 10) == "none");
  CHECK(shown("bytes=-0", 10) == "none");
  CHECK(shown("bytes=99999999999999999999999-", 10) == "none");
  CHECK(shown("bytes=3-99999999999999999999999", 10) == "3-9");
  CHECK(shown("bytes=-99999999999999999999999", 10) == "0-9");
  CHECK(shown("bytes=18446744073709551615-", UINT64_MAX) == "none");
}

TEST_CASE("what is no single range of bytes gives the whole content") {
  for (const auto* header : {"", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=1-2,4-5",
                             "bytes=5-2", "bytes= 1-2", "bytes=1-2 ", "bytes=+1-2", "bytes=--1",
                             "items=0-1", "Bytes=0-1", "bytes=1", "bytes=0x1-2"}) {
    CAPTURE(header);
    CHECK(shown(header, 10) == "whole 0-9");
  }
}

TEST_CASE("whatever a header says, the bytes lie in the content") {
  splitmix64 random(5);
  constexpr std::string_view letters = "0123456789-=,bytes ";
  for (int i = 0; i < 100'000; ++i) {
    std::string header = random.next() % 4 == 0 ? "" : "bytes=";
    for (auto n = random.next() % 12; n > 0; --n) header += letters[random.next() % letters.size()];
    const auto size = 1 + random.next() % 50;
    CAPTURE(header);
    const auto range = range_in(header, size);
    if (range.kind == range_kind::not_satisfied) continue;
    REQUIRE(range.first <= range.last);
    REQUIRE(range.last < size);
    REQUIRE((range.kind == range_kind::part || range.size() == size));
  }
}
