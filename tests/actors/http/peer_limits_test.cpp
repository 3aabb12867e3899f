#include "actors/http/peer_limits.hpp"

#include <doctest/doctest.h>

using namespace soma;
using boost::asio::ip::make_address;

TEST_CASE("a bucket gives its burst, and then its rate") {
  http::token_buckets buckets(10, 5, 100);
  const auto host = http::host_of(make_address("10.0.0.1"));
  std::uint64_t now_ms = 1'000'000;
  for (int i = 0; i < 5; ++i) CHECK(buckets.take(host, now_ms));
  CHECK(!buckets.take(host, now_ms));
  CHECK(buckets.wait_s(host, now_ms) == 1);
  CHECK(buckets.take(http::host_of(make_address("10.0.0.2")), now_ms));  // has its own
  CHECK(!buckets.take(host, now_ms + 99));
  CHECK(buckets.take(host, now_ms + 100));
  CHECK(!buckets.take(host, now_ms + 199));
  now_ms += 3'600'000;
  int taken = 0;
  while (buckets.take(host, now_ms)) ++taken;
  CHECK(taken == 5);
  CHECK(!buckets.take(host, now_ms - 5'000));  // a clock that goes back gives nothing
  http::token_buckets slow(1, 1, 100);
  CHECK(slow.take(host, now_ms));
  CHECK(slow.wait_s(host, now_ms + 10) == 1);
}

TEST_CASE("the table of buckets is bounded, and forgets who has asked least recently") {
  http::token_buckets buckets(1, 1, 3);
  const auto host = [](int n) {
    return http::host_of(make_address("10.0.0." + std::to_string(n)));
  };
  for (int n = 1; n <= 3; ++n) CHECK(buckets.take(host(n), 1'000));
  CHECK(!buckets.take(host(1), 1'000));  // it is the most recent one now
  CHECK(buckets.take(host(4), 1'000));   // 2 goes
  CHECK(buckets.size() == 3);
  CHECK(!buckets.take(host(1), 1'000));
  CHECK(buckets.take(host(2), 1'000));
  for (int n = 10; n < 200; ++n) CHECK(buckets.take(host(n), 1'000));
  CHECK(buckets.size() == 3);
}

TEST_CASE("addresses are counted by what one customer has") {
  using http::host_of, http::network_of;
  const auto at = [](const char* text) { return make_address(text); };
  CHECK(host_of(at("1.2.3.4")) != host_of(at("1.2.3.5")));
  CHECK(network_of(at("1.2.3.4")) == network_of(at("1.2.3.250")));
  CHECK(network_of(at("1.2.3.4")) != network_of(at("1.2.4.4")));
  CHECK(host_of(at("::ffff:1.2.3.4")) == host_of(at("1.2.3.4")));
  CHECK(host_of(at("2001:db8:1:2::1")) == host_of(at("2001:db8:1:2:ffff::9")));
  CHECK(host_of(at("2001:db8:1:2::1")) != host_of(at("2001:db8:1:3::1")));
  CHECK(network_of(at("2001:db8:1:2::1")) == network_of(at("2001:db8:1:ffff::1")));
  CHECK(network_of(at("2001:db8:1::1")) != network_of(at("2001:db8:2::1")));
}

TEST_CASE("a host and its network have so many connections, and places that are left are free") {
  http::server_limits limits;
  limits.connections_per_host = 2;
  limits.connections_per_network = 3;
  http::connection_counts counts;
  const auto a = make_address("1.2.3.4"), b = make_address("1.2.3.5"), c = make_address("1.2.3.6");
  CHECK(counts.enter(a, limits));
  CHECK(counts.enter(a, limits));
  CHECK(!counts.enter(a, limits));
  CHECK(counts.enter(b, limits));
  CHECK(!counts.enter(c, limits));
  counts.leave(a);
  CHECK(counts.enter(c, limits));
  CHECK(!counts.enter(b, limits));
  for (const auto& one : {a, b, c}) counts.leave(one);
  CHECK(counts.size() == 0);
}
