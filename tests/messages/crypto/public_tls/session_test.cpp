#include "messages/crypto/public_tls/session.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>

#include "messages/crypto/public_tls/certificate.hpp"
#include "messages/crypto/random.hpp"
#include "tests/support/scratch.hpp"

using namespace soma;
using crypto::tls_state;
using public_tls::client_trust;
using public_tls::server_identity;
using public_tls::session;

namespace {

std::shared_ptr<const server_identity> load(const crypto::certificate_files& files) {
  auto loaded = server_identity::load(files);
  REQUIRE(loaded.has_value());
  return *loaded;
}

/// Makes a key and its certificate for "localhost" with OpenSSL's own program.
crypto::certificate_files made_by_openssl(const std::filesystem::path& folder,
                                          const std::string& name, const std::string& kind) {
  const crypto::certificate_files files{folder / (name + ".pem"), folder / (name + ".key")};
  const std::string command =
      "umask 077; openssl req -x509 -nodes -days 30 -subj /CN=localhost "
      "-addext subjectAltName=DNS:localhost -newkey " +
      kind + " -keyout " + files.key.string() + " -out " + files.certificate.string() +
      " 2>/dev/null";
  REQUIRE_MESSAGE(std::system(command.c_str()) == 0, command);
  return files;
}

struct pair {
  session client, server;
  bytes heard_by_client, heard_by_server;

  pair(std::shared_ptr<const client_trust> trust, std::shared_ptr<const server_identity> identity,
       const std::string& host = "localhost")
      : client(std::move(trust), host), server(std::move(identity)) {
    client.feed({}, heard_by_client);
  }

  void carry(std::size_t step = 1 << 20) {
    for (bool moved = true; moved;) {
      moved = carry(client, server, heard_by_server, step);
      moved = carry(server, client, heard_by_client, step) || moved;
    }
  }
  static bool carry(session& from, session& to, bytes& heard, std::size_t step) {
    bytes wire;
    from.take(wire);
    for (std::size_t at = 0; at < wire.size(); at += step) {
      to.feed(byte_view(wire).subspan(at, std::min(step, wire.size() - at)), heard);
    }
    return !wire.empty();
  }
};

}  // namespace

TEST_CASE("keys of every usual kind serve, by their pin and by their authority") {
  const test::scratch_directory folder;
  for (const std::string kind : {"ec -pkeyopt ec_paramgen_curve:P-256", "rsa:2048", "ed25519"}) {
    CAPTURE(kind);
    const auto files = made_by_openssl(folder.path(), kind.substr(0, 2), kind);
    const auto identity = load(files);
    CHECK(public_tls::pin_of(files.certificate).value() == identity->pin());
    const auto authority = client_trust::authorities_in(files.certificate);
    REQUIRE(authority.has_value());
    for (const auto& trust : {client_trust::pinned(identity->pin()), *authority}) {
      for (const std::size_t step : {1UL, 300UL, 1UL << 20U}) {
        pair ends(trust, identity);
        ends.carry(step);
        REQUIRE(ends.client.state() == tls_state::open);
        REQUIRE(ends.server.state() == tls_state::open);
        ends.client.write(as_bytes("up"));
        ends.server.write(bytes(40'000, 7));
        ends.carry(step);
        CHECK(ends.heard_by_server == bytes{'u', 'p'});
        CHECK(ends.heard_by_client == bytes(40'000, 7));
        CHECK(ends.client.server_pin() == identity->pin());
      }
    }
  }
}

TEST_CASE("another key, another name and an unknown authority are not believed, and named") {
  const test::scratch_directory folder;
  const crypto::certificate_files files{folder.path() / "a.pem", folder.path() / "a.key"};
  const crypto::certificate_files other{folder.path() / "b.pem", folder.path() / "b.key"};
  REQUIRE(public_tls::make_self_signed(files, {"gateway.example", "127.0.0.1"}));
  REQUIRE(public_tls::make_self_signed(other, {"gateway.example"}));
  const auto identity = load(files);
  const auto meets = [&](std::shared_ptr<const client_trust> trust, const std::string& host) {
    pair ends(std::move(trust), identity, host);
    ends.carry();
    CHECK((ends.client.state() == tls_state::open) == ends.client.distrust().empty());
    if (ends.client.state() == tls_state::open) return std::string("open");
    return ends.client.distrust();
  };
  const auto right = *client_trust::authorities_in(files.certificate);
  const auto wrong = *client_trust::authorities_in(other.certificate);
  CHECK(meets(right, "gateway.example") == "open");
  CHECK(meets(right, "127.0.0.1") == "open");
  CHECK(meets(right, "evil.example") == "hostname mismatch");
  CHECK(meets(right, "127.0.0.2") == "IP address mismatch");
  CHECK(meets(wrong, "gateway.example") == "self-signed certificate");
  CHECK(meets(client_trust::system_authorities(), "gateway.example") == "self-signed certificate");
  CHECK(meets(client_trust::pinned(identity->pin()), "any.example") == "open");
  CHECK(meets(client_trust::pinned(load(other)->pin()), "gateway.example") ==
        "it holds another key than the pinned one: " + to_hex(identity->pin().view()));
}

TEST_CASE("an older TLS, garbage and a byte altered on the way do not open a session") {
  const test::scratch_directory folder;
  const crypto::certificate_files files{folder.path() / "a.pem", folder.path() / "a.key"};
  REQUIRE(public_tls::make_self_signed(files, {"localhost"}));
  const auto identity = load(files);
  // A ClientHello of TLS 1.2: it has no supported_versions.
  const auto hello = from_hex(
      "160301002f0100002b0303000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f00"
      "0004c02bc02f0100");
  bytes heard;
  session old(identity);
  CHECK(old.feed(*hello, heard) == tls_state::failed);
  session plain(identity);
  CHECK(plain.feed(as_bytes("GET / HTTP/1.1\r\nHost: soma\r\n\r\n"), heard) == tls_state::failed);
  CHECK(heard.empty());
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    crypto::seeded_random random(seed);
    pair ends(client_trust::pinned(identity->pin()), identity);
    pair::carry(ends.client, ends.server, ends.heard_by_server, 1 << 20);
    bytes wire;
    ends.server.take(wire);
    auto at = random.below(wire.size());
    // Nobody looks at the version in the head of a record (RFC 8446, 5.1): the byte behind the head
    // is altered instead.
    for (std::size_t head = 0; head + 5 < wire.size();) {
      if (at == head + 1 || at == head + 2) at = head + 5;
      head += 5 + (std::size_t{wire[head + 3]} << 8U | wire[head + 4]);
    }
    wire[at] ^= static_cast<std::uint8_t>(1U << random.below(8));
    ends.client.feed(wire, ends.heard_by_client);
    ends.carry();
    CHECK(ends.server.state() != tls_state::open);
  }
}

TEST_CASE("files that do not fit together are refused by name") {
  const test::scratch_directory folder;
  const crypto::certificate_files a{folder.path() / "a.pem", folder.path() / "a.key"};
  const crypto::certificate_files b{folder.path() / "b.pem", folder.path() / "b.key"};
  REQUIRE(public_tls::make_self_signed(a, {"localhost"}));
  REQUIRE(public_tls::make_self_signed(b, {"localhost"}));
  CHECK(server_identity::load({a.certificate, b.key}).error().why ==
        crypto::certificate_refusal::other_key);
  CHECK(server_identity::load({a.certificate, folder.path() / "no.key"}).error().why ==
        crypto::certificate_refusal::not_found);
  const auto weak = made_by_openssl(folder.path(), "weak", "rsa:1024");
  CHECK(server_identity::load(weak).error().why == crypto::certificate_refusal::no_key);
}
