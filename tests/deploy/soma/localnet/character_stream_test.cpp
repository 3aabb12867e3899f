#include "deploy/soma/localnet/character_stream.hpp"

#include <doctest/doctest.h>

#include <vector>

using soma::cli::character_stream;

namespace {

/// What is shown after each byte, and at the end.
std::vector<std::string> shown(std::string_view text) {
  character_stream stream;
  std::vector<std::string> parts;
  for (const char byte : text) parts.push_back(stream.take(static_cast<std::uint8_t>(byte)));
  parts.push_back(stream.finish());
  return parts;
}

using parts = std::vector<std::string>;

}  // namespace

TEST_CASE("each character is shown as soon as its last byte has come") {
  CHECK(shown("ab") == parts{"a", "b", ""});
  CHECK(shown("\n\t") == parts{"\n", "\t", ""});
  CHECK(shown("aßb") == parts{"a", "", "ß", "b", ""});
  CHECK(shown("€") == parts{"", "", "€", ""});
  CHECK(shown("😀x") == parts{"", "", "", "😀", "x", ""});
}

TEST_CASE("a byte that is not text, or that a terminal would obey, is shown as a point") {
  CHECK(shown("\x1b[m") == parts{"·", "[", "m", ""});
  CHECK(shown("\x7f") == parts{"·", ""});
  CHECK(shown("\xff"
              "a") == parts{"·", "a", ""});
  CHECK(shown("\xc2\x9b") == parts{"", "·", ""});         // the one-byte form of ESC [
  CHECK(shown("\xe2\x82") == parts{"", "", "··"});        // cut off at the end
  CHECK(shown("\xe2\x82x") == parts{"", "", "··x", ""});  // cut off by another character
  CHECK(shown("\xe2\xe2\x82\xac") == parts{"", "·", "", "€", ""});
  CHECK(shown("\xed\xa0\x80") == parts{"", "", "···", ""});  // half of a surrogate pair
  CHECK(shown("\xc0\x80") == parts{"·", "·", ""});           // an overlong zero
}
