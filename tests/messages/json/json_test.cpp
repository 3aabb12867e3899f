#include "messages/json/json.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include "tests/support/json_reader.hpp"

using json = soma::json::value;
using soma::support::parse_json;

TEST_CASE("every binary32 reads back to the same bits, and in the shortest form") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 draw(seed);
    for (int i = 0; i < 5'000; ++i) {
      const auto value = std::bit_cast<float>(static_cast<std::uint32_t>(draw()));
      const auto read = parse_json(json(value).text());
      REQUIRE(read);
      if (!std::isfinite(value)) {
        CHECK(read->type == soma::support::parsed_json::kind::null);
        continue;
      }
      REQUIRE(std::bit_cast<std::uint32_t>(read->binary32()) ==
              std::bit_cast<std::uint32_t>(value));
    }
  }
  CHECK(json(0.1F).text() == "0.1");
  CHECK(json(1.0F).text() == "1.0");
  CHECK(json(std::numeric_limits<float>::denorm_min()).text() == "1e-45");
  CHECK(json(-0.0F).text() == "-0.0");
}

TEST_CASE("integers keep all their digits and objects their order") {
  const auto value =
      json::of({{"z", UINT64_MAX}, {"a", INT64_MIN}, {"list", json::list_of(std::vector{1, 2})}});
  CHECK(value.text() ==
        R"({"z": "18446744073709551615", "a": "-9223372036854775808", "list": [1, 2]})");
  CHECK(value.find("z")->plain() == "18446744073709551615");
}

TEST_CASE("an integer is a number as long as a binary64 holds it, and a string beyond") {
  const std::int64_t largest = (std::int64_t{1} << 53) - 1;
  CHECK(json(largest).text() == "9007199254740991");
  CHECK(json(-largest).text() == "-9007199254740991");
  CHECK(json(static_cast<std::uint64_t>(largest)).text() == "9007199254740991");
  CHECK(json(largest + 1).text() == "\"9007199254740992\"");
  CHECK(json(-largest - 1).text() == "\"-9007199254740992\"");
  CHECK(json(static_cast<std::uint64_t>(largest) + 1).text() == "\"9007199254740992\"");
}

TEST_CASE("bytes that are no UTF-8 stand beside their text in hex") {
  CHECK(json::of({{"file", "a\xff"}, {"n", 1}}).text() ==
        R"({"file": "a\ufffd", "file_hex": "61ff", "n": 1})");
  CHECK(json::of({{"files", json::list_of(std::vector<std::string>{"a", "\xff"})}}).text() ==
        R"({"files": ["a", "\ufffd"], "files_hex": [null, "ff"]})");
  CHECK(json::of({{"file", "é"}}).text() == "{\"file\": \"é\"}");
}

TEST_CASE("whatever bytes a string holds, the document is valid") {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 draw(seed);
    std::string text;
    for (int i = 0; i < 64; ++i) text += static_cast<char>(draw());
    CHECK(parse_json(json(text).text()));
  }
  CHECK(json("q\" b\\ n\n t\t").text() == R"("q\" b\\ n\n t\u0009")");
  CHECK(json("é日𝄞").text() == "\"é日𝄞\"");
  CHECK(json("\xc0\xaf").text() == R"("\ufffd\ufffd")");  // an overlong slash
}
