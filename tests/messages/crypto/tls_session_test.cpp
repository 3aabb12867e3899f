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

/// Two ends, and the wire between them.
struct pair {
  crypto::tls_identity caller_is, answerer_is;
  tls_session caller{caller_is, tls_side::caller};
  tls_session answerer{answerer_is, tls_side::answerer};
  bytes heard_by_caller, heard_by_answerer;

  pair(const crypto::key_pair& a, const crypto::key_pair& b) : caller_is(a), answerer_is(b) {
    caller.feed({}, heard_by_caller);
  }

  /// Carries everything across in pieces of `step` bytes until nobody has anything to say.
  void carry(std::size_t step = 1 << 20) {
    for (bool moved = true; moved;) {
      moved = carry(caller, answerer, heard_by_answerer, step);
      moved = carry(answerer, caller, heard_by_caller, step) || moved;
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

TEST_CASE("two ends know each other's key after the handshake, however the wire cuts it") {
  for (const std::size_t step : {1UL, 7UL, 100UL, 1UL << 20U}) {
    CAPTURE(step);
    const auto a = key_of(1), b = key_of(2);
    pair ends(a, b);
    ends.carry(step);
    REQUIRE(ends.caller.state() == tls_state::open);
    REQUIRE(ends.answerer.state() == tls_state::open);
    CHECK(ends.caller.peer_key() == b.public_half());
    CHECK(ends.answerer.peer_key() == a.public_half());
  }
}

TEST_CASE("what one end writes the other hears, in order and whole") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    CAPTURE(seed);
    crypto::seeded_random random(seed);
    pair ends(key_of(seed), key_of(seed + 1));
    ends.carry();
    bytes to_caller, to_answerer;
    for (int round = 0; round < 20; ++round) {
      const auto up = some_bytes(random, random.below(40'000));
      const auto down = some_bytes(random, random.below(300));
      if (!up.empty()) ends.caller.write(up);
      if (!down.empty()) ends.answerer.write(down);
      to_answerer.insert(to_answerer.end(), up.begin(), up.end());
      to_caller.insert(to_caller.end(), down.begin(), down.end());
      ends.carry(1 + random.below(5'000));
    }
    CHECK(ends.heard_by_answerer == to_answerer);
    CHECK(ends.heard_by_caller == to_caller);
    ends.caller.end();
    ends.carry();
    CHECK(ends.answerer.state() == tls_state::ended);
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
      ends.answerer.write(some_bytes(random, 500));
    } else {
      pair::carry(ends.caller, ends.answerer, ends.heard_by_answerer, 1 << 20);
    }
    bytes wire;
    ends.answerer.take(wire);
    REQUIRE(!wire.empty());
    const auto at = random.below(wire.size());
    CAPTURE(at);
    wire[at] ^= static_cast<std::uint8_t>(1U << random.below(8));
    ends.caller.feed(wire, ends.heard_by_caller);
    ends.carry();
    CHECK(ends.heard_by_caller.empty());
    if (in_handshake) {
      CHECK(ends.answerer.state() != tls_state::open);
    } else if (at > 4) {  // in a record's head it may be a length, which waits for more
      CHECK(ends.caller.state() == tls_state::failed);
    }
  }
}

TEST_CASE("garbage and an older TLS fail the handshake at either end") {
  const crypto::tls_identity identity(key_of(5));
  crypto::seeded_random random(5);
  for (const auto side : {tls_side::caller, tls_side::answerer}) {
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
  // A ClientHello of TLS 1.2: no supported_versions.
  const auto hello = from_hex(
      "160301002f0100002b0303000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f00"
      "0004c02bc02f0100");
  REQUIRE(hello.has_value());
  tls_session session(identity, tls_side::answerer);
  bytes heard;
  CHECK(session.feed(*hello, heard) == tls_state::failed);
}
