#include "deploy/soma/bench_gateway/gateway_rivals.hpp"

#include <doctest/doctest.h>

#include "actors/http/request_parser.hpp"

using namespace soma;
using namespace soma::cli;

TEST_CASE("a request is whole, and comes from another host with another number") {
  const auto text =
      bench_request("POST", "/v1/transactions", 0x1234, "Accept: a/b\r\n", as_bytes("body"));
  http::request_parser parser(8 * 1024);
  auto rest = as_bytes(text);
  rest = rest.subspan(parser.feed(rest));
  REQUIRE(parser.now() == http::request_parser::stage::decision);
  parser.accept_body(100);
  static_cast<void>(parser.feed(rest));
  REQUIRE(parser.now() == http::request_parser::stage::done);
  const auto request = parser.take();
  CHECK(request.header("x-forwarded-for") == "10.18.52.1");
  CHECK(request.header("accept") == "a/b");
  CHECK(request.body.size() == 4);
  CHECK(bench_request("GET", "/", 1) != bench_request("GET", "/", 2));
}

TEST_CASE("nginx is found where it is, or it is not there") {
  const auto found = find_nginx();
  CHECK((found.empty() || found.filename() == "nginx"));
}
