#include "messages/crypto/tls_session.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "messages/crypto/random.hpp"

using namespace soma;
using crypto::tls_session;
using crypto::tls_side;
using crypto::tls_state;

namespace {

crypto::key_pair key_of(std::uint64_t seed) {
  crypto::seeded_random random(seed);
  return crypto::key_pair::generate(random);
}

/// Both ends of a connection, and the wire between them.
struct pair {
  crypto::tls_identity client_is, server_is;
  tls_session client{client_is, tls_side::client};
  tls_session server{server_is, tls_side::server};
  bytes heard_by_client, heard_by_server;

  pair(const crypto::key_pair& a, const crypto::key_pair& b) : client_is(a), server_is(b) {
    client.feed({}, heard_by_client);
  }

  /// Carries everything across in pieces of `step` bytes until neither end has anything to send.
  void carry(std::size_t step = 1 << 20) {
    for (bool moved = true; moved;) {
      moved = carry(client, server, heard_by_server, step);
      moved = carry(server, client, heard_by_client, step) || moved;
    }
  }
  static bool carry(tls_session& from, tls_session& to, bytes& heard, std::size_t step) {
    bytes wire;
    from.take(wire);
    for (std::size_t at = 0; at < wire.size(); at += step) {
      to.feed(byte_view(wire).subspan(at, std::min(step, wire.size() - at)), heard);
    }
    return !wire.empty();
  }
};

bytes some_bytes(crypto::random_source& random, std::size_t size) {
  bytes out(size);
  random.fill(out);
  return out;
}

}  // namespace

// By security §2.1 the handshake proves each end's key to the other; by security §2.2 this key is
// its identity.
TEST_CASE("two ends know each other's key after the handshake, however the wire cuts it") {
  for (const std::size_t step : {1UL, 7UL, 100UL, 1UL << 20U}) {
    CAPTURE(step);
    const auto a = key_of(1), b = key_of(2);
    pair ends(a, b);
    ends.carry(step);
    REQUIRE(ends.client.state() == tls_state::open);
    REQUIRE(ends.server.state() == tls_state::open);
    CHECK(ends.client.peer_key() == b.public_half());
    CHECK(ends.server.peer_key() == a.public_half());
  }
}

TEST_CASE("what one end writes the other hears, in order and whole") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    CAPTURE(seed);
    crypto::seeded_random random(seed);
    pair ends(key_of(seed), key_of(seed + 1));
    ends.carry();
    bytes to_client, to_server;
    for (int round = 0; round < 20; ++round) {
      const auto up = some_bytes(random, random.below(40'000));
      const auto down = some_bytes(random, random.below(300));
      if (!up.empty()) ends.client.write(up);
      if (!down.empty()) ends.server.write(down);
      to_server.insert(to_server.end(), up.begin(), up.end());
      to_client.insert(to_client.end(), down.begin(), down.end());
      ends.carry(1 + random.below(5'000));
    }
    CHECK(ends.heard_by_server == to_server);
    CHECK(ends.heard_by_client == to_client);
    ends.client.end();
    ends.carry();
    CHECK(ends.server.state() == tls_state::ended);
  }
}

TEST_CASE("a byte altered on the way ends the session, and nothing of it is heard") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    crypto::seeded_random random(seed);
    pair ends(key_of(3), key_of(4));
    const bool in_handshake = seed % 2 == 0;
    if (!in_handshake) {
      ends.carry();
      ends.server.write(some_bytes(random, 500));
    } else {
      pair::carry(ends.client, ends.server, ends.heard_by_server, 1 << 20);
    }
    bytes wire;
    ends.server.take(wire);
    REQUIRE(!wire.empty());
    const auto at = random.below(wire.size());
    CAPTURE(at);
    wire[at] ^= static_cast<std::uint8_t>(1U << random.below(8));
    ends.client.feed(wire, ends.heard_by_client);
    ends.carry();
    CHECK(ends.heard_by_client.empty());
    if (in_handshake) {
      CHECK(ends.server.state() != tls_state::open);
    } else if (at > 4) {
      // Before, the byte may belong to a record's length, and the session waits for more.
      CHECK(ends.client.state() == tls_state::failed);
    }
  }
}

// By security §2.1 only one kind of TLS is accepted.
TEST_CASE("garbage and an older TLS fail the handshake at either end") {
  const crypto::tls_identity identity(key_of(5));
  crypto::seeded_random random(5);
  for (const auto side : {tls_side::client, tls_side::server}) {
    for (int round = 0; round < 50; ++round) {
      tls_session session(identity, side);
      bytes heard;
      session.feed({}, heard);
      session.feed(some_bytes(random, 400), heard);
      session.feed(as_bytes("GET / HTTP/1.1\r\nHost: soma\r\n\r\n"), heard);
      CHECK(session.state() != tls_state::open);
      CHECK(heard.empty());
    }
  }
  // A ClientHello of TLS 1.2: it has no supported_versions.
  const auto hello = from_hex(
      "160301002f0100002b0303000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f00"
      "0004c02bc02f0100");
  REQUIRE(hello.has_value());
  tls_session session(identity, tls_side::server);
  bytes heard;
  CHECK(session.feed(*hello, heard) == tls_state::failed);
}
