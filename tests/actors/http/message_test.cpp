#include "actors/http/message.hpp"

#include <doctest/doctest.h>

#include "tests/support/json_reader.hpp"

using namespace soma;

TEST_CASE("an error is one JSON object, whatever its message holds") {
  const std::string message = "say \"\\\n\t\x01 ä\" </script>";
  const auto made = http::error_response(422, "not_\"good", message);
  const auto body = made.body_view();
  const auto read = support::parse_json({reinterpret_cast<const char*>(body.data()), body.size()});
  REQUIRE(read.has_value());
  CHECK((*read)["error"]["code"].text == "not_\"good");
  CHECK((*read)["error"]["message"].text == message);
  CHECK(made.content_type == "application/json");
  CHECK(*http::find(http::retry_response(503, "a", "b", 7).headers, "Retry-After") == "7");
}

TEST_CASE("the head of a response says how its body ends") {
  const auto head_of = [](unsigned status, const http::response_framing& framing) {
    return http::serialize_head({status, "text/plain", {{"ETag", "\"a\""}}, nullptr}, framing)
        .value();
  };
  const auto has = [](const std::string& head, const std::string& line) {
    return head.find("\r\n" + line + "\r\n") != std::string::npos;
  };
  const auto whole = head_of(200, {5, false, false});
  CHECK(whole.starts_with("HTTP/1.1 200 OK\r\nDate: "));
  CHECK(whole.ends_with("\r\n\r\n"));
  CHECK(has(whole, "Content-Length: 5"));
  CHECK(has(whole, "Content-Type: text/plain"));
  CHECK(has(whole, "ETag: \"a\""));
  CHECK(!has(whole, "Connection: close"));
  CHECK(has(head_of(200, {std::nullopt, true, true}), "Transfer-Encoding: chunked"));
  CHECK(has(head_of(200, {std::nullopt, true, true}), "Connection: close"));
  CHECK(!has(head_of(304, {0, false, false}), "Content-Length: 0"));
  CHECK(!has(head_of(204, {0, false, false}), "Content-Length: 0"));
}

TEST_CASE("a handler cannot write a second response, or what the server writes itself") {
  const http::response_framing framing{0, false, false};
  for (const auto& [name, value] : http::name_values{{"A", "b\r\nC: d"},
                                                     {"A\r\nC", "d"},
                                                     {"A", "b\nC: d"},
                                                     {"A:", "b"},
                                                     {"A B", "b"},
                                                     {"", "b"},
                                                     {"A", std::string("\0", 1)},
                                                     {"content-length", "3"},
                                                     {"Transfer-Encoding", "chunked"},
                                                     {"Connection", "close"}}) {
    CAPTURE(name);
    CHECK(!http::serialize_head({200, "", {{name, value}}, nullptr}, framing));
  }
  CHECK(!http::serialize_head({200, "text/plain\r\nA: b", {}, nullptr}, framing));
  CHECK(!http::serialize_head({20, "text/plain", {}, nullptr}, framing));
  CHECK(http::serialize_head({599, "", {}, nullptr}, framing));
}

TEST_CASE("methods are known by their exact names") {
  for (const auto verb :
       {http::method::get, http::method::head, http::method::post, http::method::put,
        http::method::patch, http::method::delete_, http::method::options}) {
    CHECK(http::parse_method(http::to_text(verb)) == verb);
  }
  CHECK(!http::parse_method("get"));
  CHECK(!http::parse_method("PRI"));
}
