#include "deploy/soma/bench_gateway/load_client.hpp"

#include <doctest/doctest.h>

#include <thread>

#include "actors/http/server.hpp"
#include "messages/crypto/public_tls/certificate.hpp"
#include "tests/support/scratch.hpp"

using namespace soma;
using namespace soma::cli;

namespace {

/// Answers /size/N with so many bytes, /stream with a stream, and everything else with 404.
struct tls_server {
  tls_server() {
    const crypto::certificate_files files{folder.path() / "pem", folder.path() / "key"};
    REQUIRE(public_tls::make_self_signed(files, {"127.0.0.1"}));
    auto identity = public_tls::server_identity::load(files);
    REQUIRE(identity.has_value());
    http::server_options options;
    options.identity = *identity;
    options.limits.requests_per_second = options.limits.requests_burst = 1'000'000;
    options.limits.connections_per_host = options.limits.connections_per_network = 500;
    options.limits.connections_per_second = options.limits.connections_burst = 1'000;
    options.handler = [this](const http::request& asked, const http::responder& to) {
      if (asked.path.starts_with("/size/")) {
        return to.send(http::make_response(200, "text/plain",
                                           std::string(std::stoul(asked.path.substr(6)), 'x')));
      }
      if (asked.path != "/stream") return to.send(http::error_response(404, "none", "none"));
      const std::lock_guard lock(mutex);
      streams.push_back(to.stream({}, std::nullopt));
      streams.back().write(std::string_view(": hello\n\n"));
    };
    server = std::make_unique<http::server>(options);
    at = {server->port(), public_tls::client_trust::pinned((*identity)->pin())};
  }
  ~tls_server() {
    streams.clear();
    server.reset();
  }
  void tell(std::string_view text) {
    const std::lock_guard lock(mutex);
    for (const auto& one : streams) one.write(text);
  }

  test::scratch_directory folder;
  std::mutex mutex;
  std::vector<http::body_stream> streams;
  std::unique_ptr<http::server> server;
  load_server at;
};

std::string get(const std::string& path) {
  return "GET " + path + " HTTP/1.1\r\nHost: h\r\n\r\n";
}

bool takes(response_reader& reader, std::string_view text) {
  return reader.take(as_bytes(text));
}

}  // namespace

TEST_CASE("the end of a response is found however it is cut, and nothing else is taken for one") {
  const std::string whole = "HTTP/1.1 206 Partial\r\nCONTENT-length: 5\r\n\r\nhello";
  response_reader reader;
  for (std::size_t cut = 1; cut < whole.size(); ++cut) {
    CAPTURE(cut);
    CHECK(!takes(reader, whole.substr(0, cut)));
    CHECK(takes(reader, whole.substr(cut)));
    CHECK(reader.status() == 206);
    CHECK(reader.body_bytes() == 5);
  }
  CHECK(takes(reader, "HTTP/1.1 204 No\r\nContent-Length: 0\r\n\r\n"));
  for (const auto* wrong : {"HTTP/1.1 200 OK\r\n\r\n", "SSH-2.0 hello\r\n\r\n",
                            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab"}) {
    CAPTURE(wrong);
    response_reader other;
    CHECK(!takes(other, wrong));
    CHECK(other.is_lost());
  }
  response_reader endless;
  CHECK(!takes(endless, std::string(1U << 20U, 'a')));
  CHECK(endless.is_lost());
}

TEST_CASE("a load counts good answers and others, and ends when nobody asks any more") {
  const tls_server served;
  std::atomic<int> left{20};
  load_plan plan{served.at, 3, 30, [&](std::size_t) -> std::optional<std::string> {
                   const int number = left--;
                   if (number <= 0) return std::nullopt;
                   return get(number <= 4 ? "/other" : "/size/300000");
                 }};
  const auto found = run_load(plan);
  REQUIRE(found.has_value());
  CHECK(found->good == 16);
  CHECK(found->refused == 4);
  CHECK(found->refusal == 404);
  CHECK(found->good_ms.size() == 16);
  CHECK(found->body_bytes == 300'000);
  CHECK(found->seconds < 30);
  CHECK(found->client_cpu_seconds > 0);
}

TEST_CASE("a load ends with its time, and says when the server is another one or none") {
  const tls_server served;
  const auto ask = [](std::size_t) { return std::optional(get("/size/10")); };
  const auto found = run_load({served.at, 2, 0.2, ask});
  REQUIRE(found.has_value());
  CHECK(found->good > 0);
  CHECK(found->seconds >= 0.2);
  auto other = served.at;
  other.trust = public_tls::client_trust::pinned(hash256{});
  CHECK(!run_load({other, 1, 1, ask}));
  CHECK(!run_load({{1, served.at.trust}, 1, 1, ask}));
}

TEST_CASE("a volley is over when the last has its answer, and subscribers when they have it") {
  tls_server served;
  connection_set all;
  REQUIRE(all.open(served.at, 20).has_value());
  const auto volley = run_volley(all, get("/size/1000"));
  REQUIRE(volley.has_value());
  CHECK(volley->seconds > 0);
  CHECK(!run_volley(all, get("/other")));

  event_subscribers readers;
  const auto ask = [](std::size_t) { return get("/stream"); };
  REQUIRE(readers.begin(served.at, 20, ask, "event: x\n").has_value());
  served.tell("id: 1\nevent: x\n\nid: 2\nevent: x\n\n");
  CHECK(readers.await(2, 10).has_value());
  CHECK(!readers.await(1, 0.2));
  served.tell("id: 3\nevent: x\n\n");
  CHECK(readers.await(0, 10).has_value());
  CHECK(readers.bytes_of_one() > 0);
}
