#include "actors/http/target.hpp"

#include <doctest/doctest.h>

using namespace soma;

TEST_CASE("a target is decoded once, path and parameters apart") {
  const auto plain = http::parse_target("/v1/blobs/0xab?after=a%20b+c&limit=5&flag&x=a%26b&x=2");
  REQUIRE(plain.has_value());
  CHECK(plain->path == "/v1/blobs/0xab");
  const http::name_values wanted{
      {"after", "a b c"}, {"limit", "5"}, {"flag", ""}, {"x", "a&b"}, {"x", "2"}};
  CHECK(plain->query == wanted);
  CHECK(http::parse_target("/")->path == "/");
  CHECK(http::parse_target("/a/")->path == "/a/");
  CHECK(http::parse_target("/a%2525")->path == "/a%25");
  CHECK(http::parse_target("/%C3%A4?n=%C3%A4")->path == "/ä");
  CHECK(http::parse_target("/a?b=%2F..%5C")->query[0].second == "/..\\");
}

TEST_CASE("a target that two programs could read differently is refused") {
  for (const std::string bad :
       {"",       "a",        "*",        "http://host/a", "host:80", "//a",    "/a//b",
        "/./a",   "/a/..",    "/a/../b",  "/%2e%2e/a",     "/a%2fb",  "/a%5cb", "/a\\b",
        "/a#b",   "/a%",      "/a%4",     "/a%zz",         "/a%00",   "/a%0a",  "/a%ff",
        "/a?b=%", "/a?b=%00", "/a?b=%c3", "/a?%0d=1"}) {
    CAPTURE(bad);
    CHECK(!http::parse_target(bad));
  }
  std::string many = "/a?";
  for (std::size_t i = 0; i < http::max_parameters; ++i) many += "p&";
  CHECK(http::parse_target(many)->query.size() == http::max_parameters);
  CHECK(!http::parse_target(many + "p"));
}

TEST_CASE("what is escaped is read back") {
  std::string all;
  for (int c = 0x20; c < 0x7f; ++c) all += static_cast<char>(c);
  CHECK(http::parse_target("/a?x=" + http::escape(all))->query[0].second == all);
  CHECK(http::escape("az09-._~ä/") == "az09-._~%C3%A4%2F");
}
