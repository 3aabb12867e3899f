// How responses go out: whole, in pieces, to clients that read and to clients that do not.
#include <doctest/doctest.h>

#include <fstream>
#include <mutex>
#include <thread>

#include "tests/actors/http/raw_client.hpp"
#include "tests/support/scratch.hpp"

using namespace soma;
using test::get_a;
using test::raw_client;
using test::test_server;
using test::wait_for;

namespace {

std::string get(const std::string& path) {
  return "GET " + path + " HTTP/1.1\r\nHost: h\r\n\r\n";
}

/// Streams `total` bytes in pieces of `piece`, as they are asked for.
void stream_blob(const http::responder& to, std::size_t total, std::size_t piece, bool sized) {
  auto left = std::make_shared<std::size_t>(total);
  static_cast<void>(to.stream({}, sized ? std::optional<std::uint64_t>(total) : std::nullopt,
                              {[left, piece](const http::body_stream& more) {
                                 const auto size = std::min(piece, *left);
                                 *left -= size;
                                 if (size > 0) more.write(bytes(size, 'x'));
                                 if (*left == 0) more.finish();
                               },
                               {}}));
}

}  // namespace

TEST_CASE("a large body is streamed within a small memory, with a length and in chunks") {
  constexpr std::size_t total = 24U << 20U;
  std::atomic<std::size_t> most{0};
  test_server server([&](http::server_options& options) {
    options.handler = [&](http::request asked, http::responder to) {
      stream_blob(to, total, 1U << 20U, asked.path == "/sized");
    };
  });
  for (const std::string path : {"/sized", "/chunked"}) {
    CAPTURE(path);
    raw_client client(server.port());
    client.send(get(path) + get_a);
    std::size_t got = 0;
    for (std::string part = "x"; !part.ends_with("hello") && !part.empty();) {
      part = client.read_until("hello", 1);
      if (part.empty()) part = client.read_until("hello");
      got += part.size();
      most = std::max(most.load(), server.is->held_bytes());
    }
    CHECK(got > total);
    CHECK(got < total + 2'000);
  }
  CHECK(most <= 4U << 20U);
  CHECK(wait_for([&] { return server.is->held_bytes() == 0; }));
}

TEST_CASE("the form of a streamed body depends on the client's version and method") {
  test_server server([](http::server_options& options) {
    options.handler = [](http::request, http::responder to) {
      const auto stream = to.stream({200, "text/event-stream", {}, nullptr}, std::nullopt);
      stream.write("one\n");
      stream.write("");
      stream.write("two\n");
      stream.finish();
    };
  });
  raw_client modern(server.port());
  modern.send(get("/events"));
  const auto chunked = modern.read_until("0\r\n\r\n");
  CHECK(chunked.find("Transfer-Encoding: chunked\r\n") != std::string::npos);
  CHECK(chunked.ends_with("\r\n\r\n4\r\none\n\r\n4\r\ntwo\n\r\n0\r\n\r\n"));
  modern.send("HEAD /events HTTP/1.1\r\nHost: h\r\n\r\n");
  CHECK(modern.read_until("\r\n\r\n").ends_with("\r\n\r\n"));
  modern.send(get_a);
  CHECK(modern.status() == 200);
  raw_client old(server.port());
  old.send("GET /events HTTP/1.0\r\n\r\n");
  const auto all = old.read_to_end().value_or("");
  CHECK(all.find("chunked") == std::string::npos);
  CHECK(all.ends_with("\r\n\r\none\ntwo\n"));
}

TEST_CASE("a client that does not read is cut when too little has gone in 10 s") {
  std::atomic<int> ends{0};
  test_server server([&](http::server_options& options) {
    options.limits.socket_send_bytes = 8 * 1024;
    options.handler = [&](http::request asked, http::responder to) {
      if (asked.path == "/whole") {
        return to.send({200, "", {}, std::make_shared<const bytes>(8U << 20U)});
      }
      static_cast<void>(to.stream({}, 8U << 20U,
                                  {[](const http::body_stream& more) { more.write(bytes(65'536)); },
                                   [&](bool whole) { ends += whole ? 0 : 1; }}));
    };
  });
  const raw_client::setting small{.receive_bytes = 4'096};
  raw_client whole(server.port(), small), piecewise(server.port(), small);
  whole.send(get("/whole"));
  piecewise.send(get("/stream"));
  REQUIRE(wait_for([&] { return server.is->held_bytes() > 8U << 20U && ends == 0; }));
  // Until both sockets take nothing more.
  for (std::uint64_t sent = 1; sent != server.counters().bytes_out;) {
    sent = server.counters().bytes_out;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  server.pass_ms(9'900);
  std::this_thread::sleep_for(std::chrono::milliseconds(15));
  CHECK(server.counters().slow_readers == 0);
  server.pass_ms(10'200);
  CHECK(wait_for([&] { return server.counters().slow_readers == 2; }));
  CHECK(wait_for([&] { return ends == 1 && server.is->held_bytes() == 0; }));
  raw_client honest(server.port());
  honest.send(get_a);
  CHECK(honest.status() == 200);
}

TEST_CASE("a subscriber whose queue is full is cut, and the writer is told") {
  std::mutex mutex;
  http::body_stream events;
  test_server server([&](http::server_options& options) {
    options.limits.socket_send_bytes = 8 * 1024;
    options.handler = [&](http::request, http::responder to) {
      const std::lock_guard lock(mutex);
      events = to.stream({200, "text/event-stream", {}, nullptr}, std::nullopt);
    };
  });
  raw_client subscriber(server.port(), {.receive_bytes = 4'096});
  subscriber.send(get("/events"));
  REQUIRE(wait_for([&] {
    const std::lock_guard lock(mutex);
    return !events.is_gone();
  }));
  const std::string event = "data: " + std::string(1'000, 'x') + "\n\n";
  std::size_t taken = 0;
  while (taken < 100'000 && events.write(event)) ++taken;
  CHECK(taken >= 250);  // 256 KiB wait for it
  CHECK(taken < 20'000);
  CHECK(wait_for([&] { return server.counters().slow_readers == 1; }));
  CHECK(wait_for([&] { return events.is_gone() && server.is->held_bytes() == 0; }));
}

TEST_CASE("a body that is not what was promised does not look whole") {
  test_server server([](http::server_options& options) {
    options.handler = [](http::request asked, http::responder to) {
      const auto stream =
          to.stream({}, asked.path == "/chunks" ? std::nullopt : std::optional<std::uint64_t>(10));
      stream.write("12345");
      if (asked.path == "/long") stream.write("678901");
      if (asked.path == "/short" || asked.path == "/long") stream.finish();
    };  // "/lost" and "/chunks" lose their stream
  });
  for (const std::string path : {"/short", "/long", "/lost", "/chunks"}) {
    CAPTURE(path);
    raw_client client(server.port());
    client.send(get(path) + get_a);
    const auto all = client.read_to_end();
    REQUIRE(all.has_value());
    const auto body = all->substr(std::min(all->size(), all->find("\r\n\r\n") + 4));
    CHECK(body.size() < 11);
    CHECK(body.find("0\r\n\r\n") == std::string::npos);
  }
}

TEST_CASE("the headers of a server are in every response, also in those that it writes itself") {
  test_server server([](http::server_options& options) {
    options.headers = {{"X-Everywhere", "yes"}};
    options.limits.requests_burst = 2;
    options.limits.requests_per_second = 1;
    options.handler = [](http::request, http::responder to) { to.send({}); };
  });
  raw_client client(server.port());
  for (const unsigned status : {200U, 200U, 429U}) {
    client.send(get("/"));
    CHECK(client.status() == status);
    CHECK(client.last_head().find("X-Everywhere: yes\r\n") != std::string::npos);
  }
  raw_client odd(server.port());
  odd.send("nonsense\r\n\r\n");
  CHECK(odd.status() == 400);
  CHECK(odd.last_head().find("X-Everywhere: yes\r\n") != std::string::npos);
}

TEST_CASE("a handler that fails, forgets or writes nonsense answers 500") {
  test_server server([](http::server_options& options) {
    options.handler = [](http::request asked, http::responder to) {
      if (asked.path == "/throws") throw std::runtime_error("a bug");
      if (asked.path == "/nonsense") to.send({200, "", {{"A", "b\r\nC: d"}}, nullptr});
    };
  });
  raw_client client(server.port());
  for (const std::string path : {"/throws", "/nonsense", "/forgets"}) {
    CAPTURE(path);
    client.send(get(path));
    CHECK(client.status() == 500);
    CHECK(client.last_head().find("C: d") == std::string::npos);
  }
  CHECK(server.counters().responses_5xx == 3);
}

TEST_CASE("parts of a file are bodies and pieces of streams, and take no memory") {
  const test::scratch_directory dir;
  const auto path = dir.path() / "file";
  std::string content(3U << 20U, ' ');
  for (std::size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>('a' + i % 23);
  std::ofstream(path, std::ios::binary) << content;
  const auto file = files::readable_file::open(path);
  REQUIRE(file);
  constexpr std::size_t at = 1'000, size = 2'500'000;
  test_server server([&](http::server_options& options) {
    options.handler = [&](http::request asked, http::responder to) {
      http::response head;
      if (asked.path == "/whole") {
        head.file = {file, at, size};
        return to.send(head);
      }
      // The last piece of the stream is behind the end of the file if the path says so.
      const auto last = asked.path == "/cut" ? content.size() - 10 : at + size - 500'000;
      const auto pieces = std::make_shared<int>(0);
      static_cast<void>(to.stream(head, size,
                                  {[=](const http::body_stream& more) {
                                     if (++*pieces == 1) {
                                       more.write(http::file_part{file, at, size - 500'000});
                                     } else {
                                       more.write(http::file_part{file, last, 500'000});
                                       more.finish();
                                     }
                                   },
                                   {}}));
    };
  });
  for (const auto* wanted : {"/whole", "/stream"}) {
    CAPTURE(std::string(wanted));
    raw_client client(server.port());
    client.send(get(wanted));
    CHECK(client.status() == 200);
    CHECK((client.last_body() == content.substr(at, size)));
  }
  raw_client slow(server.port(), {.receive_bytes = 4'096});
  slow.send(get("/whole"));
  slow.read_until("200");
  CHECK(server.is->held_bytes() == 0);
  raw_client head(server.port());
  head.send("HEAD /whole HTTP/1.1\r\nHost: h\r\n\r\n" + get_a);
  CHECK(head.read_until("hello").find("Content-Length: 2500000\r\n") != std::string::npos);
  raw_client cut(server.port());
  cut.send(get("/cut"));
  const auto all = cut.read_to_end();
  REQUIRE(all.has_value());
  CHECK(all->size() < size);
  CHECK(all->size() > 1'000'000);
}
