// JSON from strangers: what is read, what is refused, and that nothing else happens.
#include <doctest/doctest.h>

#include <random>

#include "messages/json/json.hpp"

using soma::json::parse;
using soma::json::parse_refusal;
using soma::json::value;

namespace {

parse_refusal refusal_of(std::string_view text, const soma::json::parse_limits& limits = {}) {
  const auto read = parse(text, limits);
  REQUIRE(!read);
  return read.error();
}

/// A random document of at most this depth.
value random_value(std::mt19937_64& draw, int depth) {
  switch (draw() % (depth > 0 ? 8 : 6)) {
    case 0:
      return {};
    case 1:
      return draw() % 2 == 0;
    case 2:
      return static_cast<std::uint64_t>(draw() >> 11U);
    case 3:
      return static_cast<std::int64_t>(draw() >> 11U) - (std::int64_t{1} << 52);
    case 4:
      return static_cast<double>(draw()) / 3;
    case 5:
      return std::string("é\"\\\n\x01日") + std::to_string(draw() % 10);
    case 6: {
      auto list = value::list();
      for (auto i = draw() % 4; i > 0; --i) list.push(random_value(draw, depth - 1));
      return list;
    }
    default: {
      value::object members;
      for (auto i = draw() % 4; i > 0; --i) {
        members.emplace_back("m" + std::to_string(i), random_value(draw, depth - 1));
      }
      return members;
    }
  }
}

}  // namespace

TEST_CASE("what is written reads back as the same document") {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 draw(seed);
    const auto text = random_value(draw, 5).text();
    CAPTURE(text);
    const auto read = parse(" \n" + text + "\t ");
    REQUIRE(read);
    CHECK(read->text() == text);
  }
  CHECK(parse("18446744073709551615")->unsigned_integer() ==
        std::pair<bool, std::uint64_t>{true, UINT64_MAX});
  CHECK(parse(R"("\u00e9\ud834\udd1e\u0000")")->plain() == std::string("é𝄞\0", 7));
}

TEST_CASE("a document that is cut short or followed by anything is refused") {
  const std::string whole = R"({"a": [1, -2.5e3, true, null], "b": {"c": "\u00e9"}})";
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    CHECK(refusal_of(std::string_view(whole).substr(0, size)) == parse_refusal::not_json);
  }
  for (const auto* more : {"x", "1", "{}", ",", "//"}) {
    CHECK(refusal_of(whole + " " + more) == parse_refusal::not_json);
  }
}

TEST_CASE("each kind of nonsense has its refusal") {
  for (const auto* text :
       {"",        " ",           "01",    "+1",   ".5",         "1.",    "1e",
        "NaN",     "Infinity",    "'a'",   "[1,]", "{\"a\":1,}", "{a:1}", "\"\n\"",
        "\"\\x\"", "\"\\ud800\"", "/**/1", "tru",  "{\"a\" 1}",  "[1 2]"}) {
    CAPTURE(std::string(text));
    CHECK(refusal_of(text) == parse_refusal::not_json);
  }
  CHECK(refusal_of("\"\xff\"") == parse_refusal::not_utf8);
  CHECK(refusal_of("\"\xc0\xaf\"") == parse_refusal::not_utf8);
  CHECK(refusal_of(R"({"a": 1, "b": 2, "a": 1})") == parse_refusal::repeated_name);
  CHECK(refusal_of(R"([{"a": {"x": 1, "\u0078": 2}}])") == parse_refusal::repeated_name);
  CHECK(parse(R"([{"a": 1}, {"a": 1}])"));
}

TEST_CASE("size and depth are bounded before anything is read") {
  CHECK(parse("[1]", {3, 16}));
  CHECK(refusal_of("[1] ", {3, 16}) == parse_refusal::too_large);
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  CHECK(parse(nested(16)));
  CHECK(refusal_of(nested(17)) == parse_refusal::too_deep);
  CHECK(refusal_of(std::string(1'000'000, '[')) == parse_refusal::too_deep);
  CHECK(refusal_of(std::string(500'000, '{')) == parse_refusal::not_json);
}

TEST_CASE("no change of a document does more than change it or have it refused") {
  const std::string whole = R"({"a": [1, -2.5e3, true, null], "b": {"c": "\u00e9 é"}, "d": 1e308})";
  for (std::uint64_t seed = 0; seed < 3'000; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 draw(seed);
    auto text = whole;
    for (auto i = 1 + draw() % 3; i > 0; --i) {
      text[draw() % text.size()] = static_cast<char>(draw());
    }
    const auto read = parse(text);
    if (read) CHECK(parse(read->text()));
  }
}
