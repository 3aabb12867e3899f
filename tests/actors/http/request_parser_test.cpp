#include "actors/http/request_parser.hpp"

#include <doctest/doctest.h>

#include <string>
#include <tuple>
#include <vector>

using namespace soma;
using http::request_parser;
using stage = request_parser::stage;

namespace {

struct outcome {
  unsigned status = 0;  // of the refusal; 0: taken or not whole yet
  std::string code, path, body;
  http::name_values query, headers;
  std::size_t taken = 0;
  stage end = stage::empty;
  bool keeps_alive = true;
  friend bool operator==(const outcome&, const outcome&) = default;
};

/// Feeds the text in pieces of `step` bytes, as a connection does.
outcome fed(std::string_view text, std::size_t step = SIZE_MAX, std::uint64_t limit = 100) {
  request_parser parser(8 * 1024);
  outcome got;
  const auto over = [&] { return parser.now() == stage::done || parser.now() == stage::refused; };
  while (got.taken < text.size() && !over()) {
    const auto all = as_bytes(text).subspan(got.taken);
    got.taken += parser.feed(all.first(std::min(step, all.size())));
    if (parser.now() == stage::decision) parser.accept_body(limit);
  }
  got.end = parser.now();
  if (got.end == stage::refused) {
    got.status = parser.refusal().status;
    got.code = parser.refusal().code;
    got.taken = 0;  // a refused connection is closed: what it had taken means nothing
  }
  got.keeps_alive = parser.keeps_alive();
  if (got.end != stage::done) return got;
  const auto whole = parser.take();
  got.path = whole.path;
  got.query = whole.query;
  got.headers = whole.headers;
  got.body.assign(whole.body.begin(), whole.body.end());
  return got;
}

const std::string get = "GET /a?b=c HTTP/1.1\r\nHost: h\r\n";
const std::string post = "POST /a HTTP/1.1\r\nHost: h\r\n";
const std::string chunks = post + "Transfer-Encoding: chunked\r\n\r\n";

struct bad_shape {
  std::string text;
  unsigned status;
};

const std::vector<bad_shape>& bad_shapes() {
  static const std::vector<bad_shape> all{
      // Two ends of one request.
      {post + "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400},
      {post + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400},
      {post + "Content-Length: 3, 3\r\n\r\nabc", 400},
      {post + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {post + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", 400},
      {post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {post + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", 501},
      {post + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501},
      {post + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501},
      {post + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400},
      {post + "Transfer-Encoding:\x0b"
              "chunked\r\n\r\n0\r\n\r\n",
       400},
      {post + " Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {post + "X: y\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"POST /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {post + "Content-Length: +3\r\n\r\nabc", 400},
      {post + "Content-Length: -3\r\n\r\nabc", 400},
      {post + "Content-Length: 0x3\r\n\r\nabc", 400},
      {post + "Content-Length: \r\n\r\nabc", 400},
      {post + "Content-Length: 3 3\r\n\r\nabc", 400},
      {post + "Content-Length: 99999999999999999999\r\n\r\n", 400},
      {post + "Content-Length : 3\r\n\r\nabc", 400},
      // Lines.
      {"GET /a HTTP/1.1\nHost: h\n\n", 400},
      {get + "X: y\n\r\n", 400},
      {get + "X: y\rZ: w\r\n\r\n", 400},
      {get + "X: y\r\n\tfolded\r\n\r\n", 400},
      {get + "X y\r\n\r\n", 400},
      {get + ": y\r\n\r\n", 400},
      {get + "X: a\x01\r\n\r\n", 400},
      {get + std::string("X: a\0b\r\n\r\n", 10), 400},
      {get + "X: \xc3\xa4\r\n\r\n", 400},
      {"\r\nGET /a HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"\x16\x03\x01\x02", 400},
      // Hosts and what comes once.
      {"GET /a HTTP/1.1\r\n\r\n", 400},
      {get + "Host: other\r\n\r\n", 400},
      {get + "host: h\r\n\r\n", 400},
      {"GET /a HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
      {"GET /a HTTP/1.1\r\nHost: a@b\r\n\r\n", 400},
      {get + "Authorization: a\r\nAuthorization: b\r\n\r\n", 400},
      {get + "Range: bytes=0-1\r\nrange: bytes=2-3\r\n\r\n", 400},
      {get + "Expect: 200-maybe\r\n\r\n", 417},
      // Request lines.
      {"GET /a\r\n\r\n", 400},
      {"GET  /a HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"GET /a  HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"GET\t/a HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {" GET /a HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"GET /a HTTP/1.1 \r\nHost: h\r\n\r\n", 400},
      {"GET /a http/1.1\r\nHost: h\r\n\r\n", 400},
      {"GET /a HTTP/11\r\nHost: h\r\n\r\n", 400},
      {"GET /a HTTP/1.2\r\nHost: h\r\n\r\n", 505},
      {"GET /a HTTP/2.0\r\nHost: h\r\n\r\n", 505},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
      {"BREW /a HTTP/1.1\r\nHost: h\r\n\r\n", 501},
      {"get /a HTTP/1.1\r\nHost: h\r\n\r\n", 501},
      {"G:T /a HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"TRACE /a HTTP/1.1\r\nHost: h\r\n\r\n", 405},
      {"CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n", 405},
      {"GET http://h/a HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"GET h:80 HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"GET /a/../b HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      // Chunks.
      {chunks + "3;ext=1\r\nabc\r\n0\r\n\r\n", 400},
      {chunks + "3 \r\nabc\r\n0\r\n\r\n", 400},
      {chunks + "3\nabc\r\n0\r\n\r\n", 400},
      {chunks + "3\r\nabcX0\r\n\r\n", 400},
      {chunks + "3\r\nabc\n0\r\n\r\n", 400},
      {chunks + "0x3\r\nabc\r\n0\r\n\r\n", 400},
      {chunks + "-3\r\nabc\r\n0\r\n\r\n", 400},
      {chunks + "\r\n\r\n", 400},
      {chunks + "10000000000000003\r\nabc\r\n0\r\n\r\n", 413},
      {chunks + std::string(80, '0') + "3\r\nabc\r\n0\r\n\r\n", 400},
      {chunks + "3\r\nabc\r\n0\r\nTrailer: x\r\n\r\n", 400},
      {chunks + "0\r\nContent-Length: 5\r\n\r\n", 400},
      // Sizes.
      {post + "Content-Length: 101\r\n\r\n", 413},
      {chunks + "65\r\n", 413},
      {chunks + "32\r\n" + std::string(50, 'x') + "\r\n33\r\n", 413},
      {"GET /" + std::string(9'000, 'a') + " HTTP/1.1\r\nHost: h\r\n\r\n", 414},
      {get + "X: " + std::string(9'000, 'a') + "\r\n\r\n", 431},
  };
  return all;
}

}  // namespace

TEST_CASE("each shape that could be read in two ways is refused, however it is cut") {
  for (const auto& [text, status] : bad_shapes()) {
    CAPTURE(text);
    const auto whole = fed(text);
    CHECK(whole.status == status);
    for (const std::size_t step : {1UL, 2UL, 7UL, 64UL}) CHECK(fed(text, step) == whole);
  }
  std::string many = get;
  for (int i = 0; i < 70; ++i) many += "X: y\r\n";
  CHECK(fed(many + "\r\n").status == 431);
}

TEST_CASE("a request is read alike, whole, cut at any byte, and byte by byte") {
  const std::vector<std::string> good{
      get + "Accept: a, b\r\nX-Empty:\r\n\r\n",
      post + "Content-Length: 5\r\n\r\nhello",
      post + "Content-Length: 0\r\n\r\n",
      post + "Content-Length: 100\r\n\r\n" + std::string(100, 'x'),
      chunks + "5\r\nhello\r\n00B\r\n big worlds\r\n0\r\n\r\n",
      chunks + "0\r\n\r\n",
      "GET /old HTTP/1.0\r\n\r\n",
  };
  const std::string next = "GET /next HTTP/1.1\r\n";
  for (const auto& text : good) {
    CAPTURE(text);
    const auto whole = fed(text);
    REQUIRE(whole.end == stage::done);
    CHECK(whole.taken == text.size());
    CHECK(fed(text, 1) == whole);
    CHECK(fed(text + next) == whole);  // takes nothing of the next request
    for (std::size_t cut = 1; cut < text.size(); ++cut) {
      CAPTURE(cut);
      CHECK(fed(text, cut) == whole);
      CHECK(fed(std::string_view(text).substr(0, cut)).end != stage::done);
      CHECK(fed(std::string_view(text).substr(0, cut)).status == 0);
    }
  }
}

TEST_CASE("what a request says is given as it was said") {
  const auto asked = fed(get + "Accept: a, b\r\nX-Empty:\r\nConnection: x, Close\r\n\r\n");
  CHECK(asked.path == "/a");
  CHECK(asked.query == http::name_values{{"b", "c"}});
  CHECK(asked.headers ==
        http::name_values{
            {"host", "h"}, {"accept", "a, b"}, {"x-empty", ""}, {"connection", "x, Close"}});
  CHECK(!asked.keeps_alive);
  CHECK(fed(get + "\r\n").keeps_alive);
  CHECK(!fed("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").keeps_alive);
  CHECK(fed(chunks + "5\r\nhello\r\n00B\r\n big worlds\r\n0\r\n\r\n").body == "hello big worlds");
}

TEST_CASE("the owner decides about a body before it is read") {
  request_parser parser(8 * 1024);
  const auto text = post + "Expect: 100-continue\r\nContent-Length: 5\r\n\r\nhello";
  const auto taken = parser.feed(as_bytes(text));
  CHECK(parser.now() == stage::decision);
  CHECK(taken == text.size() - 5);
  CHECK(parser.has_body());
  CHECK(parser.expects_continue());
  CHECK(parser.announced_bytes() == 5);
  CHECK(parser.feed(as_bytes("hello")) == 0);
  parser.accept_body(5);
  CHECK(parser.now() == stage::body);
  CHECK(parser.feed(as_bytes("hello!")) == 5);
  CHECK(parser.now() == stage::done);
}
