// What strangers try with TLS against a server, and servers against a client. The peer is OpenSSL's
// own program, or bytes that the test makes. An honest client asks all the time, and none of its
// requests may fail.
#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <fstream>
#include <thread>

#include "actors/http/client.hpp"
#include "messages/crypto/public_tls/certificate.hpp"
#include "messages/crypto/random.hpp"
#include "tests/actors/http/raw_client.hpp"
#include "tests/support/free_ports.hpp"
#include "tests/support/program.hpp"

using namespace soma;
using http::client_failure_kind;
using test::get_a;
using test::raw_client;
using test::test_server;
using test::wait_for;

namespace {

/// What a command of the shell prints on both outputs.
std::string told_by(const std::string& command) {
  FILE* const pipe = ::popen(("{ " + command + "; } 2>&1").c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string printed;
  std::array<char, 4'096> part{};
  while (const auto got = std::fread(part.data(), 1, part.size(), pipe)) {
    printed.append(part.data(), got);
  }
  ::pclose(pipe);
  return printed;
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

/// A server with TLS, and an honest client that asks it without a pause.
struct attacked_server {
  support::scratch_folder folder;
  crypto::certificate_files files{folder / "server.pem", folder / "server.key"};
  std::shared_ptr<const public_tls::server_identity> identity;
  std::unique_ptr<test_server> is;
  std::atomic<bool> ends{false};
  std::atomic<std::uint64_t> answered{0}, failed{0};
  std::thread honest;

  attacked_server() {
    REQUIRE(public_tls::make_self_signed(files, {"localhost"}));
    identity = *public_tls::server_identity::load(files);
    is = std::make_unique<test_server>([&](http::server_options& options) {
      options.identity = identity;
      auto& limits = options.limits;
      limits.requests_burst = limits.requests_per_second = 1'000'000;
      limits.connections_burst = limits.connections_per_second = 1'000'000;
      limits.connections_per_host = limits.connections_per_network = 1'000;
    });
    honest = std::thread([this] { ask_all_the_time(); });
    CHECK(wait_for([&] { return answered > 0; }));
  }
  ~attacked_server() {
    const auto before = answered.load();
    CHECK(wait_for([&] { return answered > before + 10; }));
    ends = true;
    honest.join();
    CHECK(failed == 0);
  }
  void ask_all_the_time() {
    const auto how = trusting();
    auto client = std::make_unique<raw_client>(is->port(), how);
    while (!ends) {
      // Now and then with a new handshake.
      if (answered % 50 == 49) client = std::make_unique<raw_client>(is->port(), how);
      client->send(get_a);
      ++(client->status() == 200 ? answered : failed);
    }
  }
  [[nodiscard]] raw_client::setting trusting() const {
    return {.trust = public_tls::client_trust::pinned(identity->pin())};
  }
  /// OpenSSL's client, with these options; `input` is a command that writes what it sends.
  [[nodiscard]] std::string s_client(const std::string& options,
                                     const std::string& input = "sleep 0.2") const {
    return told_by("(" + input + ") | timeout 20 openssl s_client -servername localhost -connect " +
                   "127.0.0.1:" + std::to_string(is->port()) + " " + options);
  }
  [[nodiscard]] const http::server_counters& counters() const { return is->counters(); }
};

/// The first message of a client, in its record.
bytes client_hello() {
  public_tls::session client(public_tls::client_trust::pinned({}), "localhost");
  bytes plain, wire;
  client.feed({}, plain);
  client.take(wire);
  return wire;
}

/// Another server with a certificate of its own, by OpenSSL's program.
struct openssl_server {
  support::scratch_folder folder;
  std::uint16_t port = support::free_ports(1);
  std::unique_ptr<support::running_program> running;

  /// `days` of validity from now on; the certificate has expired when they are negative.
  explicit openssl_server(int days, const std::string& options = "") {
    const auto at = [&](const char* name) { return (folder / name).string(); };
    const auto made =
        told_by("cd " + folder.path().string() +
                " && mkfifo input && openssl req -new -nodes -subj /CN=localhost -addext "
                "subjectAltName=DNS:localhost -newkey ec -pkeyopt ec_paramgen_curve:P-256 "
                "-keyout key.pem -out request.pem && openssl x509 -req -in request.pem -key "
                "key.pem -days " +
                std::to_string(days) + " -copy_extensions copyall -out server.pem");
    REQUIRE_MESSAGE(std::filesystem::exists(folder / "server.pem"), made);
    // It ends when its input ends, which a FIFO that is also open for writing never does.
    running = std::make_unique<support::running_program>(
        folder.path(),
        std::vector<std::string>{"/bin/sh", "-c",
                                 "exec openssl s_server -accept " + std::to_string(port) +
                                     " -cert " + at("server.pem") + " -key " + at("key.pem") +
                                     " -tls1_3 -alpn http/1.1 " + options + " <>" + at("input")});
    REQUIRE(wait_for([&] { return has(running->out(), "ACCEPT"); }));
  }
};

}  // namespace

TEST_CASE("TLS before 1.3 is refused, and an honest client asks on") {
  const attacked_server server;
  for (const std::string version : {"-tls1", "-tls1_1", "-tls1_2"}) {
    CAPTURE(version);
    const auto told = server.s_client(version + " -cipher ALL:@SECLEVEL=0");
    CHECK(has(told, "alert protocol version"));
    CHECK(has(told, "Cipher is (NONE)"));
  }
  CHECK(server.counters().failed_handshakes == 3);
}

TEST_CASE("no session is resumed, no ticket is given, and no early data is taken") {
  const attacked_server server;
  const openssl_server other(3, "-early_data -max_early_data 16384");
  const auto ticket = (other.folder / "ticket.pem").string();
  const auto early = (other.folder / "early").string();
  std::ofstream(early) << "GET /early HTTP/1.1\r\nHost: h\r\n\r\n";
  const auto to = [&](std::uint16_t port, const std::string& options) {
    return told_by(
        "sleep 0.3 | timeout 20 openssl s_client -tls1_3 -alpn http/1.1 -servername "
        "localhost -connect 127.0.0.1:" +
        std::to_string(port) + " " + options);
  };
  to(other.port, "-sess_out " + ticket);
  REQUIRE(std::filesystem::exists(ticket));
  // The ticket is a real one: where it comes from, it carries early data.
  const auto at_home = to(other.port, "-sess_in " + ticket + " -early_data " + early);
  REQUIRE(has(at_home, "Reused, TLSv1.3"));
  REQUIRE(has(at_home, "Early data was accepted"));
  to(other.port, "-sess_out " + ticket);
  const auto here = to(server.is->port(), "-sess_in " + ticket + " -early_data " + early);
  CHECK(has(here, "New, TLSv1.3"));
  CHECK(has(here, "Early data was rejected"));
  CHECK(!has(here, "Reused"));
  // What came early was never a request: there is a moment at which all of them are the honest
  // client's.
  CHECK(wait_for([&] {
    const auto honest = server.answered + server.failed;
    return static_cast<std::uint64_t>(server.is->requests) == honest;
  }));
  // Nothing that could be resumed is given away.
  const auto own = (other.folder / "own.pem").string();
  const auto told = to(server.is->port(), "-sess_out " + own);
  CHECK(has(told, "New, TLSv1.3"));
  CHECK(!has(told, "New Session Ticket arrived"));
  CHECK(!std::filesystem::exists(own));
}

TEST_CASE("a second handshake within a connection ends it, and new keys do not") {
  const attacked_server server;
  const auto hello = client_hello();
  raw_client open(server.is->port(), server.trusting());
  open.send(get_a);
  CHECK(open.status() == 200);
  open.send_bare(hello);
  CHECK(open.is_closed_within(1'000));
  // TLS 1.3 has no renegotiation: OpenSSL's client cannot ask for one.
  const std::string ask = R"(printf 'GET /a HTTP/1.1\r\nHost: h\r\n\r\n'; sleep 0.2; )";
  const auto again = server.s_client("-alpn http/1.1", ask + R"(printf 'R\n'; sleep 0.2)");
  CHECK(has(again, "hello"));
  CHECK(has(again, "wrong ssl version"));
  // It asks for new keys 40 times, of which each makes the server answer.
  const auto renewed = server.s_client(
      "-alpn http/1.1", "for i in $(seq 40); do printf 'K\\n'; sleep 0.01; done; " + ask);
  CHECK(has(renewed, "KEYUPDATE"));
  CHECK(has(renewed, "hello"));
}

TEST_CASE("a ClientHello that is cut at any byte, or altered, costs nothing but itself") {
  attacked_server server;
  const auto hello = client_hello();
  REQUIRE(hello.size() > 150);
  for (std::size_t size = 0; size < hello.size(); ++size) {
    raw_client cut(server.is->port());
    cut.send_bare(byte_view(hello).first(size));
  }
  CHECK(wait_for([&] { return server.counters().connections_open == 1; }));
  crypto::seeded_random random(1);
  for (int i = 0; i < 200; ++i) {
    auto altered = hello;
    altered[random.below(altered.size())] ^= static_cast<std::uint8_t>(1U << random.below(8));
    raw_client odd(server.is->port());
    odd.send_bare(altered);
    // It refuses, or goes on with a handshake that nobody can finish.
    CHECK(!has(odd.read_until("HTTP", 1), "HTTP"));
  }
  CHECK(wait_for([&] { return server.counters().connections_open == 1; }));
}

TEST_CASE("a ClientHello that comes byte by byte is cut at the deadline") {
  attacked_server server;
  const auto hello = client_hello();
  raw_client slow(server.is->port());
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(slow.send_bare(byte_view(hello).subspan(i, 1)));
    CHECK(!slow.is_closed_within(20));
    server.is->pass_ms(1'200);
  }
  server.is->pass_ms(1'200);
  CHECK(slow.is_closed_within(1'000));
  CHECK(server.counters().late_handshakes == 1);
}

TEST_CASE("plain HTTP and garbage at the port of TLS get no answer but an alert") {
  attacked_server server;
  crypto::seeded_random random(2);
  const auto refused = [&](byte_view wire) {
    raw_client odd(server.is->port());
    odd.send_bare(wire);
    const auto got = odd.read_to_end();
    REQUIRE(got.has_value());
    CHECK(got->size() <= 7);  // the record of an alert
  };
  refused(as_bytes(get_a));
  refused(as_bytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
  refused(as_bytes("SSH-2.0-OpenSSH_9.2\r\n"));
  for (int i = 0; i < 100; ++i) {
    CAPTURE(i);
    bytes garbage(5 + random.below(200));
    for (auto& one : garbage) one = static_cast<std::uint8_t>(random.below(256));
    garbage[0] |= 0x80;  // no record of TLS 1.3 begins so
    refused(garbage);
    // A whole record of a handshake whose content is garbage, and no ClientHello.
    const auto size = garbage.size() - 5;
    const std::uint8_t head[] = {0x16, 3, 1, 0, static_cast<std::uint8_t>(size)};
    std::ranges::copy(head, garbage.begin());
    if (size >= 4) garbage[5] = 0x21;
    if (size >= 4) refused(garbage);
  }
  CHECK(server.counters().malformed == 0);
}

TEST_CASE("a certificate that has expired is refused in one line, and a pin does not look at it") {
  const openssl_server expired(-1);
  const auto certificate = expired.folder / "server.pem";
  const auto answer_of = [&](const http::client_options& options) {
    const auto got = http::client(options).send({http::method::get, "/a", {}, {}});
    REQUIRE(!got);  // OpenSSL's server answers nobody
    return got.error();
  };
  http::client_options options;
  options.server = {true, "localhost", expired.port, std::nullopt};
  options.idle_ms = 500;
  options.trust = *public_tls::client_trust::authorities_in(certificate);
  const auto refused = answer_of(options);
  CHECK(refused.kind == client_failure_kind::not_believed);
  CHECK(has(refused.why, "certificate has expired"));
  CHECK(!has(refused.why, "\n"));
  // Who pins a key believes the key alone (messages/crypto/public_tls/certificate.hpp).
  options.trust = nullptr;
  options.server.pin = public_tls::pin_of(certificate).value();
  CHECK(answer_of(options).kind != client_failure_kind::not_believed);
  options.server.pin = hash256{};
  CHECK(answer_of(options).kind == client_failure_kind::not_believed);
  // No server of ours begins with such a certificate.
  std::filesystem::permissions(expired.folder / "key.pem", std::filesystem::perms::owner_read);
  const auto loaded = public_tls::server_identity::load({certificate, expired.folder / "key.pem"});
  REQUIRE(!loaded);
  CHECK(loaded.error().why == crypto::certificate_refusal::expired);
}
