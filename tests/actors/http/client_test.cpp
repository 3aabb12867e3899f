#include "actors/http/client.hpp"

#include <doctest/doctest.h>

#include <mutex>
#include <vector>

#include "tests/actors/http/raw_client.hpp"
#include "tests/actors/http/scripted_peer.hpp"

using namespace soma;
using http::client_failure_kind;
using http::method;
using test::scripted_peer;
using test::test_server;
using test::wait_for;

namespace {

http::client_options to(std::uint16_t port) {
  http::client_options options;
  options.server = {false, "127.0.0.1", port, {}};
  return options;
}

std::string text_of(const http::response& answer) {
  const auto body = answer.body_view();
  return {body.begin(), body.end()};
}

}  // namespace

TEST_CASE("exchanges of one client go over one connection, which is opened again when it is lost") {
  test_server server;
  http::client client(to(server.port()));
  for (int i = 0; i < 3; ++i) {
    const auto answer = client.send({method::get, "/a", {}, {}});
    REQUIRE(answer.has_value());
    CHECK(answer->status == 200);
    CHECK(text_of(*answer) == "hello");
    CHECK(answer->content_type == "text/plain");
    CHECK(http::find(answer->headers, "x-content-type-options") == "nosniff");
  }
  CHECK(server.counters().connections == 1);
  const auto none = client.send({method::head, "/a", {}, {}});
  REQUIRE(none.has_value());
  CHECK(http::find(none->headers, "content-length") == "5");
  CHECK(none->body_view().empty());
  const auto big = std::make_shared<const bytes>(90'000, 7);
  const auto echo = client.send({method::post, "/echo", {}, big});
  REQUIRE(echo.has_value());
  CHECK(*echo->body == *big);
  CHECK(server.counters().connections == 1);
  server.settle();
  server.pass_ms(31'000);
  REQUIRE(wait_for([&] { return server.counters().connections_open == 0; }));
  CHECK(client.send({method::get, "/a", {}, {}})->status == 200);
  CHECK(server.counters().connections == 3);  // one is that of settle()
  const auto refused =
      client.send({method::post, "/echo", {}, std::make_shared<const bytes>(200'000)});
  REQUIRE(refused.has_value());
  CHECK(refused->status == 413);
  CHECK(client.send({method::get, "/a", {}, {}})->status == 200);
}

TEST_CASE("a large body goes to the caller piece by piece, and the limit holds") {
  static constexpr std::size_t total = 4U << 20U;
  test_server server([](http::server_options& options) {
    options.handler = [](http::request asked, http::responder to) {
      const auto length =
          asked.path == "/sized" ? std::optional<std::uint64_t>(total) : std::nullopt;
      auto left = std::make_shared<std::size_t>(total);
      static_cast<void>(to.stream({}, length,
                                  {[left](const http::body_stream& more) {
                                     const auto size = std::min<std::size_t>(100'000, *left);
                                     *left -= size;
                                     if (size > 0) more.write(bytes(size, 'x'));
                                     if (*left == 0) more.finish();
                                   },
                                   {}}));
    };
  });
  for (const std::string path : {"/sized", "/chunked"}) {
    CAPTURE(path);
    http::client client(to(server.port()));
    std::size_t got = 0, largest = 0;
    const auto answer = client.send({method::get, path, {}, {}}, [&](byte_view piece) {
      got += piece.size();
      largest = std::max(largest, piece.size());
      return true;
    });
    REQUIRE(answer.has_value());
    CHECK(got == total);
    CHECK(largest <= 128 * 1024);
    CHECK(client.send({method::get, "/a", {}, {}})->status == 200);
    CHECK(server.counters().connections == (path == "/sized" ? 1 : 4));

    auto small = to(server.port());
    small.body_bytes = total - 1;
    const auto refused = http::client(small).send({method::get, path, {}, {}});
    REQUIRE(!refused);
    CHECK(refused.error().kind == client_failure_kind::too_large);
    small.body_bytes = total;
    CHECK(http::client(small).send({method::get, path, {}, {}})->body->size() == total);
  }
}

TEST_CASE("a stream of events is read as it comes, and ended from outside") {
  std::mutex mutex;
  http::body_stream events;
  test_server server([&](http::server_options& options) {
    options.handler = [&](http::request, http::responder to) {
      const std::lock_guard lock(mutex);
      events = to.stream({200, "text/event-stream", {}, nullptr}, std::nullopt);
      events.write("data: 0\n\n");
    };
  });
  auto options = to(server.port());
  options.total_ms = 0;
  http::client client(options);
  std::string got;
  unsigned head = 0;
  const auto answer = client.send(
      {method::get, "/events", {{"Accept", "text/event-stream"}}, {}},
      [&](byte_view piece) {
        got.append(piece.begin(), piece.end());
        const std::lock_guard lock(mutex);
        if (got.size() < 27) {
          events.write("data: " + std::to_string(got.size() / 9) + "\n\n");
        } else {
          client.cancel();
        }
        return true;
      },
      [&](const http::response& with) { return (head = with.status) == 200; });
  REQUIRE(!answer);
  CHECK(answer.error().kind == client_failure_kind::cancelled);
  CHECK(got == "data: 0\n\ndata: 1\n\ndata: 2\n\n");
  CHECK(head == 200);
  CHECK(client.send({method::get, "/a", {}, {}}).error().kind == client_failure_kind::cancelled);
  CHECK(wait_for([&] { return events.is_gone(); }));
}

TEST_CASE("answers that are none are refused by name") {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  for (const auto& [answer, wanted] : std::vector<std::pair<std::string, client_failure_kind>>{
           {"SSH-2.0-OpenSSH\r\n\r\n", client_failure_kind::malformed},
           {"HTTP/2 200\r\n\r\n", client_failure_kind::malformed},
           {ok + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
            client_failure_kind::malformed},
           {ok + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            client_failure_kind::malformed},
           {ok + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
            client_failure_kind::malformed},
           {ok + "Transfer-Encoding: chunked\r\n\r\nx\r\n", client_failure_kind::malformed},
           {ok + "X: " + std::string(20'000, 'x') + "\r\n\r\n", client_failure_kind::malformed},
           {ok + "X: " + std::string(20'000, 'x'), client_failure_kind::malformed},
           {ok + "Content-Length: 99999999999\r\n\r\n", client_failure_kind::too_large},
           {ok + "Content-Length: 10\r\n\r\nshort", client_failure_kind::broken},
           {ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", client_failure_kind::broken},
           {"", client_failure_kind::broken}}) {
    CAPTURE(answer.substr(0, 80));
    scripted_peer peer([&](int socket) {
      scripted_peer::read_head(socket);
      scripted_peer::say(socket, answer);
    });
    const auto got = http::client(to(peer.port())).send({method::get, "/", {}, {}});
    REQUIRE(!got);
    CHECK(got.error().kind == wanted);
    CHECK(got.error().why.find("http://127.0.0.1:") == 0);
  }
}

TEST_CASE("what HTTP allows of an answer is taken") {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  for (const auto& [answer, body] : std::vector<std::pair<std::string, std::string>>{
           {ok + "\r\nto the end", "to the end"},
           {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\n\r\n" + ok +
                "Content-Length: 2\r\n\r\nab",
            "ab"},
           {"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nab", "ab"},
           {"HTTP/1.1 204 No Content\r\n\r\n", ""},
           {"HTTP/1.1 302 Found\r\nLocation: http://evil/\r\nContent-Length: 0\r\n\r\n", ""}}) {
    CAPTURE(answer);
    scripted_peer peer([&](int socket) {
      scripted_peer::read_head(socket);
      for (const char c : answer) scripted_peer::say(socket, {&c, 1});
    });
    const auto got = http::client(to(peer.port())).send({method::get, "/", {}, {}});
    REQUIRE(got.has_value());
    CHECK(text_of(*got) == body);
  }
}

TEST_CASE("a request that could be read as two is not sent") {
  http::client client(to(9));
  for (const std::string target : {"", "a", "http://a/", "/a b", "/a\r\nX: y", "/\xc3\xa4"}) {
    CAPTURE(target);
    CHECK(client.send({method::get, target, {}, {}}).error().kind ==
          client_failure_kind::bad_request);
  }
  for (const auto& header : http::name_values{{"A", "b\r\nC: d"}, {"A:", "b"}, {"", "b"}}) {
    CHECK(client.send({method::get, "/", {header}, {}}).error().kind ==
          client_failure_kind::bad_request);
  }
}
