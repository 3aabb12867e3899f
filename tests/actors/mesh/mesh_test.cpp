// Honest nodes: their connections, the frames that arrive, and connections after a break.
#include "actors/mesh/mesh.hpp"

#include <doctest/doctest.h>

#include <chrono>

#include "messages/crypto/random.hpp"
#include "tests/actors/mesh/hostile_peer.hpp"
#include "tests/actors/mesh/mesh_node.hpp"

using namespace soma;
using namespace soma::tests;
using mesh::link_end;

namespace {

bytes numbered(std::uint32_t number, std::size_t size) {
  bytes made(std::max<std::size_t>(size, 4));
  crypto::seeded_random(number).fill(made);
  for (int i = 0; i < 4; ++i) made[static_cast<std::size_t>(i)] = (number >> (8 * i)) & 0xff;
  return made;
}

/// Whether each of the two nodes has exactly one connection to the other.
bool are_linked(const mesh_node& a, const mesh_node& b) {
  return a.connected_to(b.key()) == 1 && b.connected_to(a.key()) == 1;
}

}  // namespace

TEST_CASE("two nodes know each other by key and hear every frame once and in order") {
  const auto a_key = key_of(1), b_key = key_of(2);
  const std::vector<public_key> both{a_key.public_half(), b_key.public_half()};
  mesh_node a(a_key, quick_options(both));
  auto options = quick_options(both);
  options.peers = {a.as_peer()};
  mesh_node b(b_key, options);
  REQUIRE(a.wait_for([&] { return are_linked(a, b); }));

  constexpr std::uint32_t count = 500;
  crypto::seeded_random random(1);
  std::vector<bytes> sent;
  for (std::uint32_t i = 0; i < count; ++i) {
    sent.push_back(numbered(i, random.below(i % 50 == 0 ? 300'000 : 600)));
    // So that there are never more frames on their way than a write queue takes.
    REQUIRE(a.wait_for([&] { return a.frame_count() + 20 > i && b.frame_count() + 20 > i; }));
    a.link().send({}, 1 + i % 9, sent.back());
    b.link().send({b.number_of(a.key())}, 1 + i % 9, sent.back());
  }
  REQUIRE(a.wait_for([&] { return a.frame_count() == count && b.frame_count() == count; }));
  for (const auto* node : {&a, &b}) {
    const auto frames = node->frames();
    for (std::uint32_t i = 0; i < count; ++i) {
      CHECK(frames[i].type == 1 + i % 9);
      CHECK(frames[i].payload == sent[i]);
    }
  }
  CHECK(a.ends().empty());
  CHECK(b.ends().empty());
}

TEST_CASE("four nodes that all call each other end with one connection a pair") {
  std::vector<crypto::key_pair> keys;
  std::vector<public_key> members;
  for (std::uint64_t i = 0; i < 4; ++i) {
    keys.push_back(key_of(10 + i));
    members.push_back(keys.back().public_half());
  }
  std::vector<std::unique_ptr<mesh_node>> nodes;
  std::vector<mesh::mesh_peer> peers;
  for (std::size_t i = 0; i < 4; ++i) {
    auto options = quick_options(members);
    options.seed = i;
    nodes.push_back(std::make_unique<mesh_node>(keys[i], options));
    peers.push_back(nodes.back()->as_peer());
  }
  for (auto& node : nodes) node->link().set_peers(peers);
  const auto all_linked = [&] {
    for (const auto& a : nodes) {
      for (const auto& b : nodes) {
        if (a != b && !are_linked(*a, *b)) return false;
      }
      if (a->connected() != 3) return false;
    }
    return true;
  };
  REQUIRE(nodes[0]->wait_for(all_linked));
  sleep_ms(100);  // the connections do not change any more
  REQUIRE(all_linked());

  for (std::uint32_t i = 0; i < 4; ++i) nodes[i]->link().send({}, 2, numbered(i, 1'000));
  for (std::uint32_t i = 0; i < 4; ++i) {
    REQUIRE(nodes[i]->wait_for([&] { return nodes[i]->frame_count() >= 3; }));
    const auto frames = nodes[i]->frames();
    CHECK(frames.size() == 3);
    for (const auto& frame : frames) {
      CHECK(frame.payload != numbered(i, 1'000));  // a node does not get its own frames
    }
  }
}

TEST_CASE("two nodes that call each other at the same moment end with one connection") {
  for (std::uint64_t seed = 1; seed <= 25; ++seed) {
    CAPTURE(seed);
    const auto a_key = key_of(seed), b_key = key_of(seed + 1'000);
    const std::vector<public_key> both{a_key.public_half(), b_key.public_half()};
    auto options = quick_options(both);
    options.limits.retry_min_ms = 8;  // both connect at nearly the same time
    options.seed = seed;
    mesh_node a(a_key, options);
    options.seed = seed + 1;
    mesh_node b(b_key, options);
    a.link().set_peers({b.as_peer()});
    b.link().set_peers({a.as_peer()});
    REQUIRE(a.wait_for([&] { return are_linked(a, b); }));
    sleep_ms(40);
    REQUIRE(a.wait_for([&] { return are_linked(a, b); }));
    for (std::uint32_t i = 0; i < 5; ++i) {
      a.link().send({}, 1, numbered(i, 10));
      b.link().send({}, 1, numbered(i, 10));
    }
    CHECK(a.wait_for([&] { return a.frame_count() == 5 && b.frame_count() == 5; }));
    CHECK(are_linked(a, b));
  }
}

// By security §2.3 both ends keep the same connection.
TEST_CASE("of two simultaneous connections that of the lower key stays, otherwise the later one") {
  for (const bool is_lower : {true, false}) {
    for (const bool is_old : {false, true}) {
      CAPTURE(is_lower);
      CAPTURE(is_old);
      auto a_key = key_of(1), other = key_of(2);
      if ((a_key.public_half() < other.public_half()) != is_lower) std::swap(a_key, other);
      hostile_listener there;
      auto options = quick_options({a_key.public_half(), other.public_half()});
      options.limits.handshake_ms = is_old ? 100 : 2'000;
      options.peers = {{other.public_half(), there.at()}};
      mesh_node a(a_key, options);
      const auto called = there.accept(1'000);
      REQUIRE(called != nullptr);
      REQUIRE(called->shake_hands(other, crypto::tls_side::server));
      REQUIRE(a.wait_for([&] { return a.connected() == 1; }));
      if (is_old) sleep_ms(250);
      hostile_peer calling(a.at());
      REQUIRE(calling.shake_hands(other));
      const bool first_stays = is_lower && !is_old;
      CHECK((first_stays ? calling : *called).is_closed_within(1'000));
      CHECK_FALSE((first_stays ? *called : calling).is_closed_within(100));
      CHECK(a.connected() == 1);
      CHECK(a.times_connected_to(other.public_half()) == (first_stays ? 1 : 2));
      // A peer that connects a second time has lost its first connection.
      hostile_peer again(a.at());
      REQUIRE(again.shake_hands(other));
      CHECK((first_stays ? again : calling).is_closed_within(1'000));
      CHECK_FALSE((first_stays ? *called : again).is_closed_within(100));
    }
  }
}

TEST_CASE("calls that fail come at longer and longer intervals, up to the longest") {
  hostile_listener there;
  auto options = quick_options({});
  options.peers = {{key_of(2).public_half(), there.at()}};
  options.limits.retry_min_ms = 20;
  options.limits.retry_max_ms = 160;
  mesh_node a(key_of(1), options);
  std::size_t calls = 0;
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(1'500);
  while (std::chrono::steady_clock::now() < until) {
    if (there.accept(20) != nullptr) ++calls;
  }
  CHECK(calls >= 6);
  CHECK(calls <= 16);  // pauses of 20, 40, 80 and then 160 ms, each at most a quarter less
}

TEST_CASE("a node that was killed and comes back is connected again, with a new number") {
  const auto a_key = key_of(1), b_key = key_of(2);
  const std::vector<public_key> both{a_key.public_half(), b_key.public_half()};
  auto b = std::make_unique<mesh_node>(b_key, quick_options(both));
  const auto b_at = b->at();
  auto options = quick_options(both);
  options.peers = {b->as_peer()};
  mesh_node a(a_key, options);
  mesh::peer_number last = 0;
  for (int life = 1; life <= 4; ++life) {
    CAPTURE(life);
    REQUIRE(a.wait_for([&] { return are_linked(a, *b); }));
    CHECK(a.number_of(b->key()) > last);
    last = a.number_of(b->key());
    b.reset();
    REQUIRE(a.wait_for([&] { return a.connected() == 0; }));
    a.link().send({}, 1, numbered(1, 100));  // no peer is connected
    a.link().send({last}, 1, numbered(1, 100));
    a.link().consumed(last, 100);
    a.link().blame(last, 1'000);  // no peer has this number any more
    sleep_ms(life * 40);
    auto again = quick_options(both);
    again.listen = b_at;
    b = std::make_unique<mesh_node>(b_key, again);
  }
  REQUIRE(a.wait_for([&] { return are_linked(a, *b); }));
  CHECK(a.ends().size() == 4);
}

// By security §2.2 the identity of a peer is its key.
TEST_CASE("a peer with another key than the expected one is refused, and so is the node itself") {
  const auto a_key = key_of(1), b_key = key_of(2), c_key = key_of(3);
  const std::vector<public_key> all{a_key.public_half(), b_key.public_half(), c_key.public_half()};
  mesh_node b(b_key, quick_options(all));
  mesh_node twin(a_key, quick_options(all));
  auto options = quick_options(all);
  options.peers = {{c_key.public_half(), b.at()}, {b_key.public_half(), twin.at()}};
  mesh_node a(a_key, options);
  sleep_ms(300);
  CHECK(a.connected() == 0);
  CHECK(a.times_connected_to(b.key()) == 0);
  CHECK(twin.times_connected_to(a.key()) == 0);
  // With the right address they are connected.
  a.link().set_peers({b.as_peer()});
  CHECK(a.wait_for([&] { return are_linked(a, b); }));
}

// By security §4.3 keep-alives go out in time, and no callback reports them.
TEST_CASE("quiet nodes stay connected by keep-alives") {
  const auto a_key = key_of(1), b_key = key_of(2);
  const std::vector<public_key> both{a_key.public_half(), b_key.public_half()};
  auto options = quick_options(both);
  options.limits.idle_ms = 300;
  mesh_node a(a_key, options);
  options.peers = {a.as_peer()};
  mesh_node b(b_key, options);
  REQUIRE(a.wait_for([&] { return are_linked(a, b); }));
  sleep_ms(1'000);
  CHECK(are_linked(a, b));
  CHECK(a.ends().empty());
  CHECK(a.frame_count() == 0);  // keep-alives are not reported
}

// By security §6.1 points lead to a refusal; by security §6.2 at most a third of the members is
// refused.
TEST_CASE("a peer that is blamed is dropped, refused for a while and then welcome again") {
  std::vector<crypto::key_pair> keys;
  std::vector<public_key> members;
  for (std::uint64_t i = 0; i < 4; ++i) {
    keys.push_back(key_of(20 + i));
    members.push_back(keys.back().public_half());
  }
  mesh_node a(keys[0], quick_options(members));
  auto options = quick_options(members);
  options.peers = {a.as_peer()};
  mesh_node b(keys[1], options), c(keys[2], options);
  REQUIRE(a.wait_for([&] { return are_linked(a, b) && are_linked(a, c); }));
  a.link().blame(a.number_of(b.key()), 99);
  sleep_ms(50);
  CHECK(are_linked(a, b));
  a.link().blame(a.number_of(b.key()), 1);
  REQUIRE(a.wait_for([&] { return a.connected_to(b.key()) == 0; }));
  CHECK(a.ends() == std::vector{link_end::blamed});
  sleep_ms(300);
  CHECK(a.connected_to(b.key()) == 0);
  CHECK(are_linked(a, c));
  // A second one would be more than a third of the members, so it is dropped, but not refused.
  a.link().blame(a.number_of(c.key()), 100);
  REQUIRE(a.wait_for([&] { return a.ends().size() == 2; }));
  CHECK(a.wait_for([&] { return are_linked(a, c); }, 300));
  CHECK(a.connected_to(b.key()) == 0);
  CHECK(a.wait_for([&] { return are_linked(a, b); }, 3'000));
}

// By security §5.2 strangers are few; by security §5.4 a stranger may become a member while it is
// connected.
TEST_CASE("strangers are few and small, and become members when the set says so") {
  const auto a_key = key_of(1);
  auto options = quick_options({a_key.public_half()});
  options.limits.strangers = 3;
  options.limits.strangers_per_address = 3;
  mesh_node a(a_key, options);
  std::vector<std::unique_ptr<mesh_node>> strangers;
  for (std::uint64_t i = 0; i < 5; ++i) {
    auto theirs = quick_options({a_key.public_half()});
    theirs.peers = {a.as_peer()};
    strangers.push_back(std::make_unique<mesh_node>(key_of(30 + i), theirs));
  }
  REQUIRE(a.wait_for([&] { return a.connected() == 3; }));
  sleep_ms(300);
  CHECK(a.connected() == 3);

  mesh_node* one = nullptr;
  for (const auto& stranger : strangers) {
    if (a.connected_to(stranger->key()) == 1) one = stranger.get();
  }
  REQUIRE(one != nullptr);
  one->link().send({}, 1, bytes(4'096));
  REQUIRE(a.wait_for([&] { return a.frame_count() == 1; }));
  a.link().set_members({a.key(), one->key()});
  sleep_ms(50);
  one->link().send({}, 1, bytes(4'097));
  CHECK(a.wait_for([&] { return a.frame_count() == 2; }));
  CHECK(a.wait_for([&] { return a.connected() == 4; }));  // another stranger has its place now
}

// By security §5.3 a connection is not read while too many of its bytes are not consumed.
TEST_CASE("a consumer that owes too much is sent nothing more, and nothing is lost") {
  const auto a_key = key_of(1), b_key = key_of(2);
  const std::vector<public_key> both{a_key.public_half(), b_key.public_half()};
  auto options = quick_options(both);
  options.limits.member.in_flight_bytes = 200'000;
  options.limits.member.write_queue_bytes = 32U << 20U;
  mesh_node a(a_key, options, false);
  options.peers = {a.as_peer()};
  mesh_node b(b_key, options);
  REQUIRE(a.wait_for([&] { return are_linked(a, b); }));
  constexpr std::uint32_t count = 200;
  for (std::uint32_t i = 0; i < count; ++i) b.link().send({}, 1, numbered(i, 50'000));
  REQUIRE(a.wait_for([&] { return a.frame_count() >= 4; }));
  sleep_ms(1'000);  // longer than any deadline of a frame
  CHECK(a.frame_count() <= 6);
  std::size_t done = 0;
  while (done < count) {
    REQUIRE(a.wait_for([&] { return a.frame_count() > done; }));
    const std::size_t owed = a.frame_count() - done;
    CHECK(owed <= 6);
    for (std::size_t i = 0; i < owed; ++i) {
      a.link().consumed(a.number_of(b.key()), 50'000);
    }
    done += owed;
  }
  const auto frames = a.frames();
  REQUIRE(frames.size() == count);
  for (std::uint32_t i = 0; i < count; ++i) CHECK(frames[i].payload == numbered(i, 50'000));
  CHECK(a.ends().empty());
}

TEST_CASE("a mesh can't listen on a port in use, and closes while it is busy") {
  const auto a_key = key_of(1), b_key = key_of(2);
  const std::vector<public_key> both{a_key.public_half(), b_key.public_half()};
  mesh_node a(a_key, quick_options(both));
  auto same = quick_options(both);
  same.listen = a.at();
  CHECK_THROWS_AS(mesh::mesh(b_key, same, {}), std::system_error);
  for (int round = 0; round < 10; ++round) {
    auto options = quick_options(both);
    options.peers = {a.as_peer(), {key_of(3).public_half(), {"127.0.0.1", 1}}};
    mesh_node b(b_key, options);
    if (round % 2 == 0) {
      REQUIRE(b.wait_for([&] { return b.connected_to(a.key()) == 1; }));
      for (std::uint32_t i = 0; i < 20; ++i) b.link().send({}, 1, numbered(i, 100'000));
    }
  }
}
