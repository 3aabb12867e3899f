// What a client may send, how slowly, and how much.
#include "actors/http/connection.hpp"

#include <doctest/doctest.h>

#include <mutex>

#include "messages/crypto/public_tls/certificate.hpp"
#include "tests/actors/http/raw_client.hpp"
#include "tests/support/scratch.hpp"

using namespace soma;
using test::get_a;
using test::raw_client;
using test::test_server;
using test::wait_for;

namespace {

const std::string post_echo = "POST /echo HTTP/1.1\r\nHost: h\r\n";

/// Holds requests back until the test answers them.
struct held_requests {
  std::mutex mutex;
  std::vector<http::responder> held;

  void hold(http::responder to) {
    const std::lock_guard lock(mutex);
    held.push_back(std::move(to));
  }
  std::size_t size() {
    const std::lock_guard lock(mutex);
    return held.size();
  }
  void answer_all(const std::string& text) {
    const std::lock_guard lock(mutex);
    for (const auto& one : held) one.send(http::make_response(200, "text/plain", text));
    held.clear();
  }
};

}  // namespace

TEST_CASE("requests of one connection are answered one after the other") {
  test_server server;
  raw_client client(server.port());
  for (int i = 0; i < 3; ++i) {
    client.send(get_a);
    CHECK(client.status() == 200);
    CHECK(client.last_body() == "hello");
  }
  client.send("HEAD /a HTTP/1.1\r\nHost: h\r\n\r\n" + get_a);
  const auto both = client.read_until("hello");
  CHECK(both.find("Content-Length: 5\r\n") != std::string::npos);
  CHECK(both.find("hello") == both.size() - 5);  // the first one has none

  client.send(post_echo + "Content-Length: 3\r\n\r\nabc");
  CHECK(client.status() == 200);
  CHECK(client.last_body() == "abc");
  client.send(post_echo + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  CHECK(client.status() == 200);
  CHECK(client.last_body() == "abcde");
  client.send(post_echo + "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  CHECK(client.read_until("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("xyz");
  CHECK(client.status() == 200);
  CHECK(client.last_body() == "xyz");
  client.send("GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  CHECK(client.status() == 200);
  CHECK(client.last_head().find("Connection: close\r\n") != std::string::npos);
  CHECK(client.is_closed_within(1'000));
  CHECK(server.counters().connections == 1);
}

TEST_CASE("a malformed request gets its refusal, and nothing behind it is read") {
  test_server server;
  for (const auto& [text, status] : std::vector<std::pair<std::string, unsigned>>{
           {post_echo + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
           {"GET /a HTTP/1.1\nHost: h\n\n", 400},
           {"TRACE /a HTTP/1.1\r\n", 405},
           {"PRI * HTTP/2.0\r\n", 505},
           {"BREW /a HTTP/1.1\r\n", 501}}) {
    CAPTURE(text);
    raw_client client(server.port());
    client.send(text + get_a);
    CHECK(client.status() == status);
    CHECK(client.last_body().starts_with("{\"error\": {\"code\": \""));
    CHECK(client.last_head().find("Connection: close\r\n") != std::string::npos);
    CHECK(client.read_to_end() == "");
  }
  CHECK(server.requests == 0);
  CHECK(server.counters().malformed == 5);
}

TEST_CASE("a header that does not come whole within 5 s ends the connection") {
  test_server server;
  raw_client silent(server.port()), slow(server.port()), late(server.port()), honest(server.port());
  honest.send(get_a);
  CHECK(honest.status() == 200);
  slow.send("GET /a HT");
  REQUIRE(wait_for([&] { return server.counters().bytes_in == get_a.size() + 9; }));
  server.pass_ms(4'900);
  slow.send("TP/1.1\r\n");  // bytes that come do not prolong the time
  late.send("GET /a HT");
  CHECK(!slow.is_closed_within(30));
  CHECK(!silent.is_closed_within(1));
  server.pass_ms(200);
  CHECK(slow.status() == 408);
  CHECK(slow.is_closed_within(1'000));
  CHECK(late.status() == 408);
  CHECK(silent.is_closed_within(1'000));
  CHECK(server.counters().late_headers == 3);
  honest.send(get_a);  // between two requests there is more time
  CHECK(honest.status() == 200);
  server.settle();
  server.pass_ms(29'000);
  CHECK(!honest.is_closed_within(30));
  server.pass_ms(2'000);
  CHECK(honest.is_closed_within(1'000));
}

TEST_CASE("a body that comes more slowly than 16 KiB a second is cut, a faster one is not") {
  test_server server;
  const auto begin = post_echo + "Content-Length: 90000\r\n\r\n";
  raw_client slow(server.port()), fast(server.port());
  slow.send(begin + "x");
  fast.send(begin + std::string(80'000, 'x'));
  REQUIRE(wait_for([&] { return server.counters().bytes_in > 80'000 + 2 * begin.size(); }));
  server.settle();
  server.pass_ms(5'100);
  CHECK(slow.status() == 408);
  CHECK(slow.is_closed_within(1'000));
  server.pass_ms(4'500);  // 80,000 bytes may take 9,883 ms
  CHECK(!fast.is_closed_within(20));
  fast.send(std::string(10'000, 'x'));
  CHECK(fast.status() == 200);
  CHECK(server.counters().late_bodies == 1);
}

TEST_CASE("an endpoint refuses a request before its body is read") {
  test_server server;
  raw_client large(server.port());
  large.send(post_echo + "Content-Length: 100001\r\nExpect: 100-continue\r\n\r\n");
  CHECK(large.status() == 413);
  CHECK(large.is_closed_within(2'000));
  raw_client chunked(server.port());
  chunked.send(post_echo + "Transfer-Encoding: chunked\r\n\r\n186A1\r\n");
  CHECK(chunked.status() == 413);

  raw_client unknown(server.port());
  unknown.send("GET /none HTTP/1.1\r\nHost: h\r\n\r\n");
  CHECK(unknown.status() == 404);
  unknown.send(get_a);  // it had no body, so the connection stays
  CHECK(unknown.status() == 200);
  unknown.send("POST /none HTTP/1.1\r\nHost: h\r\nContent-Length: 50000\r\n\r\n" +
               std::string(50'000, 'x'));
  CHECK(unknown.status() == 404);  // and arrives, though the body was not read
  CHECK(unknown.read_to_end() == "");
  CHECK(server.requests == 1);
  CHECK(server.counters().refused_by_endpoint == 4);
}

TEST_CASE("a host that asks too often gets 429, and others do not") {
  test_server server([](http::server_options& options) {
    options.limits.requests_per_second = 10;
    options.limits.requests_burst = 5;
  });
  raw_client greedy(server.port()), other(server.port(), {.from = "127.0.0.2"});
  for (int i = 0; i < 5; ++i) {
    greedy.send(get_a);
    CHECK(greedy.status() == 200);
  }
  greedy.send(get_a);
  CHECK(greedy.status() == 429);
  CHECK(greedy.last_head().find("Retry-After: 1\r\n") != std::string::npos);
  raw_client again(server.port());  // a new connection has no new bucket
  again.send(get_a);
  CHECK(again.status() == 429);
  other.send(get_a);
  CHECK(other.status() == 200);
  server.pass_ms(100);
  greedy.send(get_a);
  CHECK(greedy.status() == 200);
  CHECK(server.requests == 7);
  CHECK(server.counters().refused_rate == 2);
}

TEST_CASE("a flood of pipelined requests is one request at a time, and one buffer") {
  held_requests held;
  test_server server([&](http::server_options& options) {
    options.limits.requests_burst = 10'000;
    options.handler = [&](http::request, http::responder to) { held.hold(std::move(to)); };
  });
  raw_client flood(server.port(), {.receive_bytes = 4'096}), honest(server.port());
  const std::string one = "GET /held HTTP/1.1\r\nHost: h\r\n\r\n";
  std::string many;
  for (int i = 0; i < 40'000; ++i) many += one;
  flood.send(one);
  REQUIRE(wait_for([&] { return held.size() == 1; }));
  for (int i = 0; i < 5 && flood.send(many); ++i) {
  }
  honest.send(get_a);
  CHECK(honest.status() == 200);
  CHECK(held.size() == 1);
  CHECK(server.counters().bytes_in < 40'000);  // of megabytes that were sent

  raw_client patient(server.port());
  std::string few;
  for (int i = 0; i < 200; ++i) few += get_a;
  patient.send(few);
  std::size_t answers = 0;
  while (answers < 200 && patient.status() == 200) ++answers;
  CHECK(answers == 200);
}

TEST_CASE("connections that send without waiting share a few places, and take none of others") {
  held_requests held;
  test_server server([&](http::server_options& options) {
    options.limits.requests_burst = 10'000;
    options.limits.connections_per_host = 100;
    options.limits.pipelined_requests = 3;
    options.tick_ms = 60'000;  // no tick gives the places anew
    options.handler = [&](http::request, http::responder to) { held.hold(std::move(to)); };
  });
  const std::string one = "GET /held HTTP/1.1\r\nHost: h\r\n\r\n";
  std::vector<std::unique_ptr<raw_client>> hasty;
  for (int i = 0; i < 10; ++i) {
    hasty.push_back(std::make_unique<raw_client>(server.port()));
    hasty.back()->send(one + one);
  }
  REQUIRE(wait_for([&] { return held.size() == 10; }));  // the first of each
  held.answer_all("first");
  REQUIRE(wait_for([&] { return held.size() == 3; }));
  raw_client honest(server.port());
  for (int i = 0; i < 3; ++i) {
    honest.send(one);
    REQUIRE(wait_for([&] { return held.size() == 4; }));
    const std::lock_guard lock(held.mutex);
    held.held.back().send(http::make_response(200, "text/plain", "honest"));
    held.held.pop_back();
    CHECK(honest.status() == 200);
  }
  CHECK(held.size() == 3);
  hasty.front().reset();  // somebody who goes leaves a place, if it had one
  const std::uint64_t all = 10 + 3 + 9;
  REQUIRE(wait_for([&] {
    held.answer_all("second");
    return server.counters().responses_2xx >= all;
  }));
  for (std::size_t i = 1; i < hasty.size(); ++i) {
    CHECK(hasty[i]->read_until("second").find("first") != std::string::npos);
  }
}

TEST_CASE("each tick gives the places of hasty clients anew, so that slow answers hold none") {
  held_requests held;
  test_server server([&](http::server_options& options) {
    options.limits.pipelined_requests = 1;
    options.tick_ms = 5;
    options.handler = [&](http::request, http::responder to) { held.hold(std::move(to)); };
  });
  const std::string one = "GET /held HTTP/1.1\r\nHost: h\r\n\r\n";
  std::vector<std::unique_ptr<raw_client>> hasty;
  for (int i = 0; i < 5; ++i) {
    hasty.push_back(std::make_unique<raw_client>(server.port()));
    hasty.back()->send(one + one);
  }
  REQUIRE(wait_for([&] { return held.size() == 5; }));
  held.answer_all("first");
  CHECK(wait_for([&] { return held.size() == 5; }));
}

TEST_CASE("bodies of all connections together stay below the ceiling") {
  test_server server([](http::server_options& options) { options.limits.memory_bytes = 150'000; });
  const auto begin = post_echo + "Content-Length: 90000\r\n\r\n";
  raw_client first(server.port()), second(server.port());
  first.send(begin + std::string(80'000, 'x'));
  REQUIRE(wait_for([&] { return server.is->held_bytes() >= 80'000; }));
  second.send(begin + std::string(80'000, 'x'));
  CHECK(second.status() == 503);
  CHECK(second.last_head().find("Retry-After: 2\r\n") != std::string::npos);
  CHECK(server.is->held_bytes() <= 150'000);
  CHECK(server.counters().refused_memory == 1);
  first.send(std::string(10'000, 'x'));
  CHECK(first.status() >= 200);
  CHECK(wait_for([&] { return server.is->held_bytes() == 0; }));
}

TEST_CASE("a request that nobody answers gets 503, and a client that goes is noticed") {
  held_requests held;
  test_server server([&](http::server_options& options) {
    options.handler = [&](http::request, http::responder to) { held.hold(std::move(to)); };
  });
  raw_client waiting(server.port());
  auto leaving = std::make_unique<raw_client>(server.port());
  waiting.send("GET /held HTTP/1.1\r\nHost: h\r\n\r\n");
  REQUIRE(wait_for([&] { return held.size() == 1; }));
  leaving->send("GET /held HTTP/1.1\r\nHost: h\r\n\r\n");
  REQUIRE(wait_for([&] { return held.size() == 2; }));
  CHECK(!held.held[1].is_gone());
  leaving.reset();
  CHECK(wait_for([&] { return held.held[1].is_gone(); }));
  server.pass_ms(119'000);
  CHECK(waiting.status(20) == 0);
  server.pass_ms(2'000);
  CHECK(waiting.status() == 503);
  CHECK(server.counters().late_answers == 1);
  CHECK(server.counters().gone_clients == 1);
  held.answer_all("too late");
  waiting.send(get_a);
  CHECK(waiting.status() == 200);
  CHECK(waiting.last_body() == "hello");
}

TEST_CASE("a TLS handshake has a deadline and a size, and is TLS") {
  const test::scratch_directory folder;
  const crypto::certificate_files files{folder.path() / "a.pem", folder.path() / "a.key"};
  REQUIRE(public_tls::make_self_signed(files, {"localhost"}));
  const auto identity = *public_tls::server_identity::load(files);
  test_server server([&](http::server_options& options) { options.identity = identity; });
  const auto trust = public_tls::client_trust::pinned(identity->pin());
  raw_client honest(server.port(), {.trust = trust});
  honest.send(get_a);
  CHECK(honest.status() == 200);
  raw_client silent(server.port()), plain(server.port()), large(server.port());
  plain.send(get_a);
  CHECK(plain.is_closed_within(1'000));
  std::string records;  // the beginning of a message of 64 KiB
  for (int i = 0; i < 3; ++i) {
    records += std::string("\x16\x03\x01\x40\x00", 5) +
               (i == 0 ? std::string("\x01\x01\x00\x00", 4) + std::string(16'380, 'x')
                       : std::string(16'384, 'x'));
  }
  large.send(records);
  CHECK(large.is_closed_within(1'000));
  CHECK(server.counters().failed_handshakes == 2);
  CHECK(!silent.is_closed_within(20));
  server.pass_ms(5'100);
  CHECK(silent.is_closed_within(1'000));
  CHECK(server.counters().late_handshakes == 1);
  honest.send(get_a);
  CHECK(honest.status() == 200);
}
