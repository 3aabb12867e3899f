// Who may connect, how a server ends, and real clients.
#include "actors/http/server.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <ifaddrs.h>
#include <netinet/in.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <mutex>
#include <system_error>
#include <thread>

#include "messages/crypto/public_tls/certificate.hpp"
#include "tests/actors/http/raw_client.hpp"
#include "tests/support/scratch.hpp"

using namespace soma;
using test::get_a;
using test::raw_client;
using test::test_server;
using test::wait_for;

namespace {

struct served_identity {
  test::scratch_directory folder;
  crypto::certificate_files files{folder.path() / "server.pem", folder.path() / "server.key"};
  std::shared_ptr<const public_tls::server_identity> is;

  served_identity() {
    REQUIRE(public_tls::make_self_signed(files, {"localhost", "127.0.0.1"}));
    is = *public_tls::server_identity::load(files);
  }
};

struct program_end {
  int status = -1;
  std::string printed;
};

program_end curl(const std::string& arguments) {
  const std::string command = "curl --http1.1 -sS --max-time 10 " + arguments + " 2>&1";
  FILE* const pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  program_end end;
  std::array<char, 4'096> part{};
  while (const auto got = std::fread(part.data(), 1, part.size(), pipe)) {
    end.printed.append(part.data(), got);
  }
  end.status = WEXITSTATUS(::pclose(pipe));
  REQUIRE_MESSAGE(end.status != 127, "curl is not installed: deploy/setup installs it");
  return end;
}

/// An address of this machine that is not a loopback one; empty if there is none.
std::string address_from_afar() {
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) return {};
  std::string found;
  for (const auto* one = all; one != nullptr && found.empty(); one = one->ifa_next) {
    if (one->ifa_addr == nullptr || one->ifa_addr->sa_family != AF_INET) continue;
    const auto* in = reinterpret_cast<const sockaddr_in*>(one->ifa_addr);
    if ((ntohl(in->sin_addr.s_addr) >> 24U) == 127) continue;
    std::array<char, INET_ADDRSTRLEN> text{};
    ::inet_ntop(AF_INET, &in->sin_addr, text.data(), text.size());
    found = text.data();
  }
  ::freeifaddrs(all);
  return found;
}

}  // namespace

TEST_CASE("curl speaks to the server, over TLS and plain") {
  const served_identity identity;
  test_server tls([&](http::server_options& options) { options.identity = identity.is; });
  test_server plain;
  const auto at = [](const test_server& one) { return ":" + std::to_string(one.port()); };
  const std::string trust = "--cacert " + identity.files.certificate.string() + " ";
  const std::string https = trust + "https://localhost" + at(tls);
  CHECK(curl(https + "/a").printed == "hello");
  CHECK(curl(trust + "https://127.0.0.1" + at(tls) + "/a").printed == "hello");
  CHECK(curl("http://127.0.0.1" + at(plain) + "/a").printed == "hello");
  CHECK(curl("-I http://127.0.0.1" + at(plain) + "/a").printed.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(curl("https://localhost" + at(tls) + "/a").status == 60);  // without the certificate
  CHECK(curl("--tls-max 1.2 " + https + "/a").status == 35);
  CHECK(curl("--http2 " + https + "/a -w ' %{http_version}'").printed == "hello 1.1");

  const auto file = identity.folder.path() / "body";
  const std::string body(90'000, 'b');
  std::ofstream(file) << body;
  CHECK(curl("--data-binary @" + file.string() + " " + https + "/echo").printed == body);
  CHECK(
      curl("-H 'Transfer-Encoding: chunked' -T " + file.string() + " " + https + "/echo").printed ==
      body);
  std::ofstream(file) << body << body;
  CHECK(
      curl("-T " + file.string() + " " + https + "/echo -o /dev/null -w '%{http_code}'").printed ==
      "413");
  CHECK(curl(https + "/none").printed.starts_with("{\"error\": {\"code\": \"not_found\""));
}

TEST_CASE("hosts, networks and the server have so many connections") {
  test_server server([](http::server_options& options) {
    options.limits.connections = 5;
    options.limits.connections_per_host = 2;
    options.limits.connections_per_network = 3;
  });
  std::vector<std::unique_ptr<raw_client>> open;
  const auto is_served = [&](const std::string& from) {
    open.push_back(std::make_unique<raw_client>(server.port(), raw_client::setting{.from = from}));
    open.back()->send(get_a);
    return open.back()->status() == 200;
  };
  CHECK(is_served("127.0.0.1"));
  CHECK(is_served("127.0.0.1"));
  CHECK(!is_served("127.0.0.1"));
  CHECK(is_served("127.0.0.2"));
  CHECK(!is_served("127.0.0.3"));  // the fourth of its network
  CHECK(server.counters().refused_connections_host == 2);
  CHECK(is_served("127.0.1.1"));
  CHECK(is_served("127.0.2.1"));
  CHECK(server.counters().connections_open == 5);
  server.pass_ms(10);
  CHECK(is_served("127.0.3.1"));  // the one that has waited longest makes room
  CHECK(server.counters().displaced == 1);
  CHECK(open.front()->is_closed_within(1'000));
  open.clear();
  CHECK(wait_for([&] { return server.counters().connections_open == 0; }));
}

TEST_CASE("when every place has a request, newcomers are refused, and nobody is displaced") {
  std::mutex mutex;
  std::vector<http::responder> held;
  test_server server([&](http::server_options& options) {
    options.limits.connections = 2;
    options.handler = [&](http::request, http::responder to) {
      const std::lock_guard lock(mutex);
      held.push_back(std::move(to));
    };
  });
  raw_client a(server.port()), b(server.port());
  a.send("GET /held HTTP/1.1\r\nHost: h\r\n\r\n");
  b.send("GET /held HTTP/1.1\r\nHost: h\r\n\r\n");
  REQUIRE(wait_for([&] { return server.requests == 2; }));
  raw_client c(server.port());
  CHECK(c.is_closed_within(1'000));
  CHECK(server.counters().refused_connections == 1);
  {
    const std::lock_guard lock(mutex);
    for (const auto& one : held) one.send(http::make_response(200, "", "late"));
  }
  CHECK(a.status() == 200);
  CHECK(b.status() == 200);
}

TEST_CASE("a host that connects too often is refused before it costs a handshake") {
  test_server server([](http::server_options& options) {
    options.limits.connections_per_second = 10;
    options.limits.connections_burst = 3;
  });
  for (int i = 0; i < 3; ++i) {
    raw_client client(server.port());
    client.send(get_a);
    CHECK(client.status() == 200);
  }
  CHECK(raw_client(server.port()).is_closed_within(1'000));
  CHECK(server.counters().refused_connections_rate == 1);
  raw_client other(server.port(), {.from = "127.0.0.9"});
  other.send(get_a);
  CHECK(other.status() == 200);
  server.pass_ms(100);
  raw_client again(server.port());
  again.send(get_a);
  CHECK(again.status() == 200);
}

TEST_CASE("a thousand slow headers from many networks do not keep honest clients out") {
  test_server server([](http::server_options& options) {
    options.limits.connections = 200;
    options.limits.memory_bytes = 1U << 20U;
  });
  raw_client honest(server.port());
  std::vector<std::unique_ptr<raw_client>> slow;
  int answered = 0;
  for (int i = 0; i < 1'000; ++i) {
    const auto from = "127.1." + std::to_string(i / 20) + "." + std::to_string(1 + i % 20);
    slow.push_back(std::make_unique<raw_client>(server.port(), raw_client::setting{.from = from}));
    slow.back()->send("GET /a HTTP/1.1\r\nX: ");
    if (i % 50 == 49) {
      raw_client fresh(server.port());
      fresh.send(get_a);
      answered += fresh.status() == 200 ? 1 : 0;
    }
  }
  CHECK(answered == 20);
  CHECK(server.counters().connections_open <= 200);
  CHECK(server.counters().displaced >= 800);
  CHECK(server.is->held_bytes() < 1U << 20U);
  server.pass_ms(5'100);
  CHECK(wait_for([&] { return server.counters().late_headers >= 150; }));
}

TEST_CASE("an answer may come late and from another thread") {
  std::vector<std::thread> threads;
  test_server server([&](http::server_options& options) {
    options.handler = [&](http::request asked, http::responder to) {
      threads.emplace_back([asked = std::move(asked), to = std::move(to)] {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        to.send(http::make_response(200, "text/plain",
                                    asked.peer + std::string(*asked.parameter("n"))));
      });
    };
  });
  std::vector<std::unique_ptr<raw_client>> clients;
  for (int i = 0; i < 8; ++i) {
    clients.push_back(std::make_unique<raw_client>(server.port()));
    clients.back()->send("GET /late?n=" + std::to_string(i) + " HTTP/1.1\r\nHost: h\r\n\r\n");
  }
  for (int i = 0; i < 8; ++i) {
    CHECK(clients[i]->status() == 200);
    CHECK(clients[i]->last_body() == "127.0.0.1" + std::to_string(i));
  }
  server.is.reset();
  for (auto& one : threads) one.join();
}

TEST_CASE("a server that is destroyed ends what is under way and calls nobody afterwards") {
  std::atomic<int> calls{0}, ends{0};
  std::mutex mutex;
  std::vector<http::responder> held;
  std::vector<http::body_stream> streams;
  auto server = std::make_unique<test_server>([&](http::server_options& options) {
    options.handler = [&](http::request asked, http::responder to) {
      const std::lock_guard lock(mutex);
      if (asked.path == "/held") return held.push_back(std::move(to));
      streams.push_back(to.stream(
          {}, std::nullopt, {[&](const http::body_stream&) { ++calls; }, [&](bool) { ++ends; }}));
    };
  });
  std::vector<std::unique_ptr<raw_client>> clients;
  for (int i = 0; i < 6; ++i) {
    clients.push_back(std::make_unique<raw_client>(server->port()));
    const std::string path = i % 2 == 0 ? "/held" : "/stream";
    clients.back()->send("GET " + path + " HTTP/1.1\r\nHost: h\r\n\r\n");
  }
  REQUIRE(wait_for([&] { return server->requests == 6 && calls == 3; }));
  std::atomic<bool> over{false};
  std::thread writer([&] {  // goes on writing meanwhile
    while (!over) {
      const std::lock_guard lock(mutex);
      for (const auto& one : streams) one.write("x");
    }
  });
  server.reset();
  const int before = calls;
  {
    const std::lock_guard lock(mutex);
    for (const auto& one : held) one.send(http::make_response(200, "", "nobody reads it"));
    for (const auto& one : streams) {
      CHECK(!one.write("x"));
      CHECK(one.is_gone());
    }
  }
  over = true;
  writer.join();
  for (const auto& one : clients) CHECK(one->is_closed_within(1'000));
  CHECK(calls == before);
  CHECK(ends == 0);
}

TEST_CASE("a named proxy tells the client's address, and nobody else does") {
  const auto echo_peer = [](http::server_options& options) {
    options.handler = [](http::request asked, http::responder to) {
      to.send(http::make_response(200, "", asked.peer));
    };
  };
  const std::string ask =
      "GET /peer HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 6.6.6.6, 203.0.113.9\r\n\r\n";
  test_server open([&](http::server_options& options) { echo_peer(options); });
  raw_client direct(open.port());
  direct.send(ask);
  CHECK(direct.status() == 200);
  CHECK(direct.last_body() == "127.0.0.1");
  test_server behind([&](http::server_options& options) {
    echo_peer(options);
    options.proxies = {"127.0.0.7"};
    options.limits.requests_burst = 1;
    options.limits.connections_per_host = 1;
  });
  std::array<std::unique_ptr<raw_client>, 3> through;
  for (std::size_t i = 0; i < through.size(); ++i) {
    through[i] =
        std::make_unique<raw_client>(behind.port(), raw_client::setting{.from = "127.0.0.7"});
    const auto client = "203.0.113." + std::to_string(i);
    through[i]->send("GET /peer HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: " + client + "\r\n\r\n");
    CHECK(through[i]->status() == 200);
    CHECK(through[i]->last_body() == client);
  }
  through[0]->send("GET /peer HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 203.0.113.1\r\n\r\n");
  CHECK(through[0]->status() == 429);  // the bucket of that client is empty
}

TEST_CASE("plain HTTP is spoken to loopback and to named proxies alone") {
  const auto afar = address_from_afar();
  if (afar.empty()) return;  // this machine has no other address
  test_server closed([](http::server_options& options) { options.listen_host = "0.0.0.0"; });
  raw_client stranger(closed.port(), {.from = afar, .to = afar});
  CHECK(stranger.is_closed_within(1'000));
  CHECK(closed.counters().refused_plain == 1);
  test_server behind([&](http::server_options& options) {
    options.listen_host = "0.0.0.0";
    options.proxies = {afar};
  });
  raw_client proxy(behind.port(), {.from = afar, .to = afar});
  proxy.send(get_a);
  CHECK(proxy.status() == 200);
}

TEST_CASE("a new certificate counts from the next connection on") {
  const served_identity first, second;
  test_server server([&](http::server_options& options) { options.identity = first.is; });
  const auto trusts = [](const served_identity& one) {
    return raw_client::setting{.trust = public_tls::client_trust::pinned(one.is->pin())};
  };
  raw_client before(server.port(), trusts(first));
  before.send(get_a);
  CHECK(before.status() == 200);
  server.is->replace_identity(second.is);
  raw_client after(server.port(), trusts(second));
  after.send(get_a);
  CHECK(after.status() == 200);
  before.send(get_a);
  CHECK(before.status() == 200);
}

TEST_CASE("a port that is taken is refused by the system's error") {
  test_server server;
  http::server_options options;
  options.listen_port = server.port();
  options.handler = [](http::request, http::responder) {};
  CHECK_THROWS_AS(http::server{options}, std::system_error);
}
