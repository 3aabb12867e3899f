#include "actors/gateway_client/http_blobs.hpp"

#include <doctest/doctest.h>

#include "actors/http/server.hpp"
#include "tests/actors/gateway_client/blob_gateways.hpp"

using namespace soma;
using namespace soma::gateway_client;
using namespace soma::test;

namespace {

/// A server that notes what it is asked, and answers as the test says.
struct noting_server {
  std::mutex mutex;
  std::vector<http::request> asked;
  std::function<http::response(const http::request&)> answer;
  http::server server{[this] {
    http::server_options out;
    out.body_limit = [](const http::request_head&) -> http::body_verdict { return 4U << 20U; };
    out.handler = [this](const http::request& request, const http::responder& to) {
      const std::lock_guard lock(mutex);
      asked.push_back(request);
      auto made = answer(request);
      made.headers.emplace_back("Soma-Answers", std::to_string(answers_version));
      to.send(std::move(made));
    };
    return out;
  }()};

  [[nodiscard]] blob_port port() const {
    http_fetch_options options;
    options.at = {false, "127.0.0.1", server.port(), std::nullopt};
    return make_blob_port(options);
  }
};

http::response with_body(unsigned status, bytes body) {
  http::response out;
  out.status = status;
  out.body = std::make_shared<const bytes>(std::move(body));
  return out;
}

}  // namespace

TEST_CASE("the questions are those of the gateway's table, and the bytes come piece by piece") {
  const scripted_blob blob(chunk_size + 20);
  noting_server server;
  server.answer = [&](const http::request& request) {
    return with_body(request.header("range") ? 206 : 200, blob.data);
  };
  const auto port = server.port();
  bytes got;
  REQUIRE(port.read(blob.id, 3, blob.data.size(), [&](byte_view piece) {
    got.insert(got.end(), piece.begin(), piece.end());
    return true;
  }));
  CHECK(got == blob.data);
  CHECK(port.describe(blob.id).has_value());
  CHECK(port.begin(blob.id, as_bytes("begin"), "ab").has_value() == false);  // too large an answer
  server.answer = [&](const http::request&) { return with_body(200, {1, 2}); };
  CHECK(port.put(blob.id, 7, as_bytes("chunk"), "cd").value() == bytes{1, 2});
  const std::lock_guard lock(server.mutex);
  REQUIRE(server.asked.size() >= 4);
  const auto path = "/v1/blobs/" + blob.id.text();
  CHECK(server.asked[0].path == path);
  CHECK(server.asked[0].header("range") == "bytes=3-" + std::to_string(blob.data.size() + 2));
  CHECK(server.asked[0].header("accept") == "application/octet-stream");
  CHECK(server.asked[1].header("accept") == "application/x-capnp");
  CHECK(server.asked[2].verb == http::method::put);
  CHECK(server.asked[2].header("soma-reservation") == "ab");
  const auto& put = server.asked.back();
  CHECK(put.path == path + "/chunks/7");
  CHECK(put.header("soma-reservation") == "cd");
  CHECK(std::string(put.body.begin(), put.body.end()) == "chunk");
}

TEST_CASE("more bytes than were asked for, a refusal and a busy gateway are told apart") {
  const scripted_blob blob(1'000);
  noting_server server;
  server.answer = [&](const http::request&) { return with_body(200, blob.data); };
  const auto port = server.port();
  const auto take = [](byte_view) { return true; };
  CHECK(port.read(blob.id, 0, 999, take).error().kind == fetch_failure::too_large);
  server.answer = [](const http::request&) { return http::error_response(404, "not_there", "no"); };
  const auto declined = port.read(blob.id, 0, 10, take);
  CHECK(declined.error().kind == fetch_failure::refused);
  CHECK(declined.error().code == "not_there");
  server.answer = [](const http::request&) { return http::error_response(429, "too_fast", "no"); };
  CHECK(port.read(blob.id, 0, 10, take).error().kind == fetch_failure::silent);
  port.cancel();
  CHECK_FALSE(port.describe(blob.id).has_value());
  http_fetch_options options;
  options.at = {false, "h", 80, std::nullopt};
  CHECK(make_blob_gateway(options, 3).connections.size() == 3);
}
