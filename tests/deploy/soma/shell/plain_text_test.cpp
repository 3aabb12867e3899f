#include "deploy/soma/shell/plain_text.hpp"

#include <doctest/doctest.h>

#include "messages/values/utf8.hpp"

using namespace soma;
using namespace soma::cli;

TEST_CASE("text for people is one line that a terminal only shows") {
  CHECK(plain_line("a\nb\tc\rd") == "a b c d");
  CHECK(plain_line("i\x1b[31m.st") == "i [31m.st");
  CHECK(plain_line("w\xff.st") == "w\xef\xbf\xbd.st");
  CHECK(plain_line("\xc2\x9b"
                   "31m") == " 31m");
  CHECK(plain_line("ü · 日本 \xf0\x9f\x99\x82") == "ü · 日本 \xf0\x9f\x99\x82");
  CHECK(plain_line("\xe6\x97") == "\xef\xbf\xbd\xef\xbf\xbd");  // a character that was cut
  CHECK(plain_lines("a\n\tb\x07\n") == "a\n\tb \n");
}

TEST_CASE("random bytes become UTF-8 without control characters, and such text stays as it is") {
  for (std::uint64_t seed = 1; seed <= 2'000; ++seed) {
    CAPTURE(seed);
    std::uint64_t state = seed;
    std::string text;
    for (std::uint64_t i = 0; i < 40; ++i) {
      state = state * 6'364'136'223'846'793'005U + 1'442'695'040'888'963'407U;
      text += static_cast<char>(state >> 56U);
    }
    const auto plain = plain_line(text);
    CHECK(is_utf8(plain));
    for (const char c : plain) {
      const auto byte = static_cast<unsigned char>(c);
      CHECK_FALSE((byte < 0x20 || byte == 0x7f));
    }
    CHECK(plain_line(plain) == plain);
    CHECK(plain_lines(plain) == plain);
  }
}
