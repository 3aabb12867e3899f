// How a client reaches a server: proxies, TLS, and the limits of time.
#include "actors/http/client_link.hpp"

#include <doctest/doctest.h>

#include "messages/crypto/public_tls/certificate.hpp"
#include "tests/actors/http/raw_client.hpp"
#include "tests/actors/http/scripted_peer.hpp"
#include "tests/support/scratch.hpp"

using namespace soma;
using http::client_failure_kind;
using http::method;
using test::scripted_peer;
using test::test_server;

namespace {

struct tls_server {
  test::scratch_directory folder;
  crypto::certificate_files files{folder.path() / "server.pem", folder.path() / "server.key"};
  std::shared_ptr<const public_tls::server_identity> identity;
  std::unique_ptr<test_server> is;

  tls_server() {
    REQUIRE(public_tls::make_self_signed(files, {"localhost"}));
    identity = *public_tls::server_identity::load(files);
    is = std::make_unique<test_server>(
        [&](http::server_options& options) { options.identity = identity; });
  }
  [[nodiscard]] http::client_options pinned(const std::string& host = "127.0.0.1") const {
    http::client_options options;
    options.server = {true, host, is->port(), identity->pin()};
    return options;
  }
};

client_failure_kind failure_of(const http::client_options& options) {
  const auto got = http::client(options).send({method::get, "/a", {}, {}});
  REQUIRE(!got);
  return got.error().kind;
}

}  // namespace

TEST_CASE("a pinned server is believed by its key, another one by an authority and its name") {
  const tls_server server;
  http::client client(server.pinned());
  CHECK(client.send({method::get, "/a", {}, {}})->status == 200);
  CHECK(client.send({method::get, "/a", {}, {}})->status == 200);
  CHECK(server.is->counters().connections == 1);
  CHECK(client.server_pin() == server.identity->pin());

  auto other = server.pinned();
  other.server.pin->value[0] ^= 1;
  const auto refused = http::client(other).send({method::get, "/a", {}, {}});
  REQUIRE(!refused);
  CHECK(refused.error().kind == client_failure_kind::not_believed);
  CHECK(refused.error().why.find(to_hex(server.identity->pin().view())) != std::string::npos);

  auto unpinned = server.pinned("localhost");
  unpinned.server.pin.reset();
  CHECK(failure_of(unpinned) == client_failure_kind::not_believed);
  unpinned.trust = *public_tls::client_trust::authorities_in(server.files.certificate);
  CHECK(http::client(unpinned).send({method::get, "/a", {}, {}})->status == 200);
  unpinned.server.host = "127.0.0.1";
  CHECK(failure_of(unpinned) == client_failure_kind::not_believed);
  CHECK(server.is->requests == 3);
}

TEST_CASE("a server that speaks no TLS, or is not there, is named so") {
  const test_server plain;
  http::client_options options;
  options.server = {true, "127.0.0.1", plain.port(), hash256{}};
  CHECK(failure_of(options) == client_failure_kind::broken);
  options.server = {false, "127.0.0.1", 1, {}};
  CHECK(failure_of(options) == client_failure_kind::unreachable);
  options.server = {false, "nothing.invalid", 80, {}};
  options.connect_ms = 500;
  const auto unknown = failure_of(options);
  CHECK((unknown == client_failure_kind::no_address || unknown == client_failure_kind::too_late));
}

TEST_CASE("a proxy carries TLS to the server, and cannot read or replace it") {
  const tls_server server;
  std::string asked;
  scripted_peer proxy([&](int socket) {
    asked = scripted_peer::read_head(socket);
    scripted_peer::say(socket, "HTTP/1.1 200 Connection established\r\n\r\n");
    const int on = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in there{};
    there.sin_family = AF_INET;
    there.sin_port = htons(server.is->port());
    inet_pton(AF_INET, "127.0.0.1", &there.sin_addr);
    if (::connect(on, reinterpret_cast<const sockaddr*>(&there), sizeof there) == 0) {
      scripted_peer::pass_on(socket, on);
    }
    ::close(on);
  });
  auto options = server.pinned("gateway.test");
  options.environment.https_proxy = "http://127.0.0.1:" + std::to_string(proxy.port());
  {
    http::client client(options);
    const auto answer = client.send({method::get, "/a", {}, {}});
    REQUIRE(answer.has_value());
    CHECK(answer->status == 200);
  }
  CHECK(asked.starts_with("CONNECT gateway.test:" + std::to_string(server.is->port()) +
                          " HTTP/1.1\r\nHost: gateway.test:"));
  options.server.pin->value[0] ^= 1;
  CHECK(failure_of(options) == client_failure_kind::not_believed);
}

TEST_CASE("a proxy that refuses, or says what is no answer, is named so") {
  for (const std::string answer :
       {"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", "nonsense\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\nbytes before they are asked for"}) {
    CAPTURE(answer);
    scripted_peer proxy([&](int socket) {
      scripted_peer::read_head(socket);
      scripted_peer::say(socket, answer);
      scripted_peer::read_head(socket);
    });
    http::client_options options;
    options.server = {true, "gateway.test", 443, hash256{}};
    options.environment.https_proxy = "127.0.0.1:" + std::to_string(proxy.port());
    CHECK(failure_of(options) == client_failure_kind::bad_proxy);
  }
  http::client_options options;
  options.server = {true, "gateway.test", 443, hash256{}};
  options.environment.https_proxy = "socks5://127.0.0.1:9";
  CHECK(failure_of(options) == client_failure_kind::bad_proxy);
}

TEST_CASE("every wait of a client has a limit") {
  scripted_peer silent([](int socket) { scripted_peer::read_head(socket); });
  http::client_options options;
  options.server = {true, "127.0.0.1", silent.port(), hash256{}};
  options.connect_ms = 60;
  CHECK(failure_of(options) == client_failure_kind::too_late);  // TLS

  scripted_peer mute([&](int socket) {
    scripted_peer::read_head(socket);
    scripted_peer::read_head(socket);
  });
  options.server = {false, "127.0.0.1", mute.port(), {}};
  options.connect_ms = 1'000;
  options.idle_ms = 60;
  CHECK(failure_of(options) == client_failure_kind::too_late);

  scripted_peer slow([](int socket) {
    scripted_peer::read_head(socket);
    scripted_peer::say(socket, "HTTP/1.1 200 OK\r\n\r\n");
    while (scripted_peer::say(socket, "x")) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  });
  options.server = {false, "127.0.0.1", slow.port(), {}};
  options.idle_ms = 1'000;
  options.total_ms = 80;
  const auto begun_ms = http::client_link::now_ms();
  CHECK(failure_of(options) == client_failure_kind::too_late);
  CHECK(http::client_link::now_ms() - begun_ms < 900);
}
