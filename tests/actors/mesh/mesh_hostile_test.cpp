// Peers that misbehave in every way. Each is dropped by its deadline or its quota, and two honest
// nodes exchange frames all the time.
#include <doctest/doctest.h>

#include "messages/crypto/random.hpp"
#include "messages/wire/frame.hpp"
#include "tests/actors/mesh/hostile_peer.hpp"
#include "tests/actors/mesh/mesh_node.hpp"

using namespace soma;
using namespace soma::tests;
using mesh::link_end;

namespace {

constexpr const char* elsewhere = "127.0.0.2";  // an address without a known peer

/// Two honest members that are connected, and a third member whose key the test has.
struct honest_pair {
  crypto::key_pair a_key = key_of(1), b_key = key_of(2), traitor = key_of(3);
  std::unique_ptr<mesh_node> a, b;

  explicit honest_pair(const std::function<void(mesh::mesh_limits&)>& change = {},
                       bool a_consumes = true) {
    const std::vector<public_key> members{a_key.public_half(), b_key.public_half(),
                                          traitor.public_half()};
    auto options = quick_options(members);
    if (change) change(options.limits);
    a = std::make_unique<mesh_node>(a_key, options, a_consumes);
    options.peers = {a->as_peer()};
    b = std::make_unique<mesh_node>(b_key, options);
    REQUIRE(a->wait_for([&] { return a->connected_to(b->key()) == 1 && b->connected() == 1; }));
  }

  /// Whether a frame goes in both directions without delay.
  bool talks() {
    const auto at_a = a->frame_count(), at_b = b->frame_count();
    a->link().send({a->number_of(b->key())}, 1, bytes(100));
    b->link().send({}, 2, bytes(100));
    return a->wait_for([&] { return a->frame_count() > at_a && b->frame_count() > at_b; }, 1'000);
  }

  /// The honest members are still connected and have lost nothing.
  void check_unharmed() {
    CHECK(talks());
    CHECK(a->times_connected_to(b->key()) == 1);
    CHECK(b->ends().empty());
  }
};

bytes header_of(std::uint16_t type, std::uint32_t length) {
  bytes made = make_frame(type, {});
  for (std::size_t i = 0; i < 4; ++i) made[8 + i] = (length >> (8 * i)) & 0xff;
  return made;
}

}  // namespace

// By security §2.1 only TLS 1.3 with an Ed25519 key passes the handshake.
TEST_CASE("garbage, another protocol and an older TLS do not get past the handshake") {
  honest_pair honest;
  const auto old_hello = from_hex(
      "160301002f0100002b0303000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f00"
      "0004c02bc02f0100");
  REQUIRE(old_hello.has_value());
  crypto::seeded_random random(1);
  bytes noise(5'000);
  random.fill(noise);
  for (const byte_view what :
       {byte_view(noise), as_bytes("GET / HTTP/1.1\r\n\r\n"), byte_view(*old_hello)}) {
    hostile_peer peer(honest.a->at());
    peer.send_raw(what);
    CHECK(peer.is_closed_within(400));  // at once, before the deadline
  }
  CHECK(honest.a->connected() == 1);
  honest.check_unharmed();
}

// By security §6.1 and §6.2 a stranger's address collects points and is refused.
TEST_CASE("an address that sends garbage again and again is refused before it costs a handshake") {
  honest_pair honest;
  for (int i = 0; i < 10; ++i) {
    hostile_peer peer(honest.a->at(), elsewhere);
    peer.send_raw(bytes(100, 0x55));
    CHECK(peer.is_closed_within(400));
  }
  hostile_peer good(honest.a->at(), elsewhere);
  CHECK_FALSE(good.shake_hands(key_of(77)));
  hostile_peer other(honest.a->at(), "127.0.0.3");
  CHECK(other.shake_hands(key_of(78)));
  sleep_ms(800);
  hostile_peer later(honest.a->at(), elsewhere);
  CHECK(later.shake_hands(key_of(77)));
  honest.check_unharmed();
}

// By security §4.1 a handshake has a deadline.
TEST_CASE("a peer that stalls in the handshake is dropped at the deadline") {
  honest_pair honest;
  hostile_peer silent(honest.a->at(), elsewhere);
  hostile_peer slow(honest.a->at(), elsewhere);
  slow.send_raw(as_bytes("\x16\x03\x01\x02"));  // the head of a record, and no more
  CHECK_FALSE(silent.is_closed_within(200));
  CHECK(silent.is_closed_within(900));
  CHECK(slow.is_closed_within(900));
  honest.check_unharmed();
}

// By security §5.1 unfinished handshakes are bounded for each address and in all.
TEST_CASE("a flood of connections takes only its own quota") {
  honest_pair honest([](mesh::mesh_limits& limits) {
    limits.pending = 20;
    limits.handshake_ms = 1'500;
  });
  std::vector<std::unique_ptr<hostile_peer>> flood;
  for (int i = 0; i < 300; ++i) {
    // They come from five addresses. Eight of each address are accepted, and twenty of all.
    const std::string from = "127.0.0." + std::to_string(2 + i % 5);
    flood.push_back(std::make_unique<hostile_peer>(honest.a->at(), from));
  }
  std::size_t open = 0;
  for (const auto& one : flood) open += one->is_closed_within(2) ? 0 : 1;
  CHECK(open <= 20);
  CHECK(open > 0);
  honest.check_unharmed();
  // A member gets in beside the flood if its address is known. The flood is at unknown addresses,
  // and a knows the address of a member when it has connected to the member itself.
  mesh_node third(honest.traitor, quick_options({honest.a->key(), honest.b->key()}));
  honest.a->link().set_peers({third.as_peer()});
  CHECK(third.wait_for([&] { return third.connected_to(honest.a->key()) == 1; }, 1'000));
  // From then on the member may also connect to a.
  hostile_peer member(honest.a->at());
  CHECK(member.shake_hands(key_of(99)));
  sleep_ms(1'700);
  for (const auto& one : flood) CHECK(one->is_closed_within(50));
  honest.check_unharmed();
}

// By security §5.2 strangers are bounded for each address and in all.
TEST_CASE("strangers with handshakes done are bounded too") {
  honest_pair honest([](mesh::mesh_limits& limits) {
    limits.strangers = 6;
    limits.strangers_per_address = 4;
  });
  std::vector<std::unique_ptr<hostile_peer>> crowd;
  for (std::uint64_t i = 0; i < 20; ++i) {
    const std::string from = i < 10 ? "127.0.0.2" : "127.0.0.3";
    crowd.push_back(std::make_unique<hostile_peer>(honest.a->at(), from));
    crowd.back()->shake_hands(key_of(500 + i));
  }
  CHECK(honest.a->wait_for([&] { return honest.a->connected() >= 7; }));
  sleep_ms(100);
  CHECK(honest.a->connected() == 7);  // b and six strangers
  honest.check_unharmed();
}

// By security §3.2 a length is checked before memory is taken, and by security §3.4 a refusal ends
// the connection.
TEST_CASE("a frame with a length above its type's limit ends the connection before any memory") {
  honest_pair honest([](mesh::mesh_limits& limits) { limits.refuse_for_ms = 40; });
  const auto before = resident_bytes();
  for (const auto& head : {header_of(1, UINT32_MAX), header_of(1, (1U << 20U) + 1),
                           header_of(10, 0), header_of(0, 1), bytes(16, 0xff)}) {
    hostile_peer peer(honest.a->at(), elsewhere);
    REQUIRE(peer.shake_hands(honest.traitor));
    REQUIRE(honest.a->wait_for(
        [&] { return honest.a->connected_to(honest.traitor.public_half()) == 1; }));
    peer.send(head);
    CHECK(peer.is_closed_within(500));
    REQUIRE(honest.a->wait_for([&] { return honest.a->connected() == 1; }));
    CHECK(honest.a->ends().back() == link_end::frame_wrong);
    sleep_ms(60);  // until the refusal is over
  }
  CHECK(resident_bytes() < before + (4U << 20U));
  honest.check_unharmed();
}

// By security §3.3 memory is taken only for bytes that have arrived.
TEST_CASE("a peer that announces the longest frame and sends little takes little memory") {
  honest_pair honest([](mesh::mesh_limits& limits) {
    limits.strangers = 100;
    limits.strangers_per_address = 100;
    limits.body_ms = 3'000;
    limits.pending_per_address = 100;
  });
  std::vector<std::unique_ptr<hostile_peer>> crowd;
  for (std::uint64_t i = 0; i < 60; ++i) {
    crowd.push_back(std::make_unique<hostile_peer>(honest.a->at(), elsewhere));
    REQUIRE(crowd.back()->shake_hands(key_of(600 + i)));
  }
  REQUIRE(honest.a->wait_for([&] { return honest.a->connected() == 61; }));
  std::vector<public_key> members{honest.a->key(), honest.b->key()};
  for (std::uint64_t i = 0; i < 60; ++i) members.push_back(key_of(600 + i).public_half());
  honest.a->link().set_members(members);
  sleep_ms(50);
  const auto before = resident_bytes();
  for (const auto& one : crowd) {
    REQUIRE(one->send(header_of(1, 1U << 20U)));
    REQUIRE(one->send(bytes(10)));
  }
  sleep_ms(200);
  CHECK(honest.a->connected() == 61);
  CHECK(resident_bytes() < before + (60U * 256U << 10U));  // a quarter of what was announced
  honest.check_unharmed();
}

// By security §4.2 header and payload have deadlines of their own.
TEST_CASE("a slow header and a slow body are late, and keep-alives between do not help") {
  honest_pair honest;
  const auto whole = make_frame(1, bytes(1'000));
  for (const std::size_t stop : {4UL, 500UL}) {
    CAPTURE(stop);
    hostile_peer peer(honest.a->at(), elsewhere);
    REQUIRE(peer.shake_hands(honest.traitor));
    REQUIRE(honest.a->wait_for([&] { return honest.a->connected() == 2; }));
    REQUIRE(peer.send(make_frame(0, {})));
    REQUIRE(peer.send(byte_view(whole).first(stop)));
    for (std::size_t i = 0; i < 4; ++i) {  // a byte from time to time
      sleep_ms(40);
      CHECK(peer.send(byte_view(whole).subspan(stop + i, 1)));
    }
    CHECK(honest.a->connected() == 2);
    CHECK(peer.is_closed_within(1'000));
    REQUIRE(honest.a->wait_for([&] { return honest.a->connected() == 1; }));
    CHECK(honest.a->ends().back() == link_end::frame_late);
  }
  honest.check_unharmed();
}

// By security §4.3 a connection on which nothing arrives ends.
TEST_CASE("a silent peer is dropped as idle") {
  honest_pair honest([](mesh::mesh_limits& limits) { limits.idle_ms = 400; });
  hostile_peer peer(honest.a->at(), elsewhere);
  REQUIRE(peer.shake_hands(honest.traitor));
  REQUIRE(honest.a->wait_for([&] { return honest.a->connected() == 2; }));
  CHECK(peer.is_closed_within(1'500));
  CHECK(honest.a->wait_for([&] { return honest.a->connected() == 1; }));
  CHECK(honest.a->ends() == std::vector{link_end::idle});
  honest.check_unharmed();
}

// By security §4.4 and §5.3 the bytes that wait for a peer are bounded.
TEST_CASE("a peer that never reads is dropped when its write queue is full, and costs no more") {
  honest_pair honest([](mesh::mesh_limits& limits) { limits.idle_ms = 60'000; });
  hostile_peer peer(honest.a->at(), elsewhere);
  REQUIRE(peer.shake_hands(honest.traitor));
  const auto traitor = honest.traitor.public_half();
  REQUIRE(honest.a->wait_for([&] { return honest.a->connected_to(traitor) == 1; }));
  const auto number = honest.a->number_of(traitor);
  const auto before = resident_bytes();
  for (int i = 0; i < 400 && honest.a->connected() == 2; ++i) {
    honest.a->link().send({number}, 1, bytes(100'000));
    sleep_ms(1);
  }
  REQUIRE(honest.a->wait_for([&] { return honest.a->connected() == 1; }));
  CHECK(honest.a->ends() == std::vector{link_end::not_reading});
  CHECK(resident_bytes() < before + (16U << 20U));
  honest.check_unharmed();
}

// By security §4.4 a peer that reads nothing for too long is dropped, too.
TEST_CASE("a peer that never reads and is sent little is dropped when its queue does not shrink") {
  honest_pair honest([](mesh::mesh_limits& limits) {
    limits.idle_ms = 600;
    limits.member.write_queue_bytes = 64U << 20U;
  });
  hostile_peer peer(honest.a->at(), elsewhere);
  REQUIRE(peer.shake_hands(honest.traitor));
  const auto traitor = honest.traitor.public_half();
  REQUIRE(honest.a->wait_for([&] { return honest.a->connected_to(traitor) == 1; }));
  const auto number = honest.a->number_of(traitor);
  for (int i = 0; i < 20; ++i) honest.a->link().send({number}, 1, bytes(1U << 20U));
  for (int i = 0; i < 30 && honest.a->connected() == 2; ++i) {
    peer.send(make_frame(0, {}));  // it sends, but does not read
    sleep_ms(100);
  }
  CHECK(honest.a->ends() == std::vector{link_end::not_reading});
  honest.check_unharmed();
}

// By security §3.1 the checksum covers a whole frame, and by security §3.4 nothing is read after a
// refusal.
TEST_CASE("cut and altered streams after the handshake never bring a frame that was not sent") {
  honest_pair honest([](mesh::mesh_limits& limits) { limits.refuse_for_ms = 40; });
  crypto::seeded_random random(9);
  const auto at_first = honest.a->frame_count();
  for (int round = 0; round < 20; ++round) {
    CAPTURE(round);
    hostile_peer peer(honest.a->at(), elsewhere);
    REQUIRE(peer.shake_hands(honest.traitor));
    auto framed = make_frame(3, bytes(200, 0x11));
    if (round % 2 == 0) {
      framed.resize(random.below(framed.size()));  // the peer closes after it
    } else {
      framed[16 + random.below(200)] ^= 1;  // the checksum shows it
    }
    if (!framed.empty()) peer.send(framed);
    if (round % 2 == 1) {
      CHECK(peer.is_closed_within(1'000));
      sleep_ms(60);
    }
  }
  CHECK(honest.a->frame_count() == at_first);
  honest.check_unharmed();
}
