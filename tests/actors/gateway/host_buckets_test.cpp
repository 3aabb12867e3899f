#include "actors/gateway/host_buckets.hpp"

#include <doctest/doctest.h>

using namespace soma::gateway;

namespace {

/// The bytes that a host gets in a second when it asks each millisecond for so many.
std::uint64_t got_in_a_second(host_buckets& buckets, const std::string& host, std::uint64_t piece,
                              std::uint64_t from_ms) {
  std::uint64_t got = 0;
  for (std::uint64_t ms = 1; ms <= 1'000; ++ms) {
    if (buckets.take(host, piece, from_ms + ms)) got += piece;
  }
  return got;
}

}  // namespace

TEST_CASE("a host gets its rate, and leaves the rest to others") {
  host_buckets buckets({.all_per_second = 10'000, .host_per_second = 2'000, .burst_seconds = 1});
  // What was saved up comes first.
  while (buckets.take("a", 100, 0)) {
  }
  const auto rate = got_in_a_second(buckets, "a", 100, 0);
  CHECK(rate >= 1'900);
  CHECK(rate <= 2'100);
  CHECK(buckets.take("b", 100, 1'000));
}

TEST_CASE("all hosts together get no more than the rate of all") {
  host_buckets buckets({.all_per_second = 5'000, .host_per_second = 5'000, .burst_seconds = 1});
  for (int i = 0; i < 100; ++i) {
    while (buckets.take("h" + std::to_string(i), 100, 0)) {
    }
  }
  std::uint64_t got = 0;
  for (std::uint64_t ms = 1; ms <= 1'000; ++ms) {
    for (int i = 0; i < 20; ++i) got += buckets.take("n" + std::to_string(i), 50, ms) ? 50 : 0;
  }
  CHECK(got >= 4'800);
  CHECK(got <= 5'200);
}

TEST_CASE("a chunk that is larger than the bucket passes once, and is paid for afterwards") {
  host_buckets buckets({.all_per_second = 1'000'000, .host_per_second = 100, .burst_seconds = 1});
  CHECK(buckets.take("a", 1'000, 0));
  CHECK_FALSE(buckets.take("a", 1, 5'000));
  CHECK(buckets.take("a", 1, 11'000));
}

TEST_CASE("what is remembered is bounded, and a clock that stands still gives nothing") {
  host_buckets buckets({.all_per_second = 1'000'000'000, .host_per_second = 100, .hosts = 8});
  for (int i = 0; i < 1'000; ++i) {
    CHECK(buckets.take("h" + std::to_string(i), 1, static_cast<std::uint64_t>(i)));
    CHECK(buckets.hosts() <= 8);
  }
  host_buckets still({.all_per_second = 1'000, .host_per_second = 1'000, .burst_seconds = 1});
  std::uint64_t got = 0;
  for (int i = 0; i < 10'000; ++i) got += still.take("a", 10, 7) ? 10 : 0;
  CHECK(got <= 1'010);
}

TEST_CASE("addresses of one customer are one host") {
  CHECK(host_in("2001:db8:1:2::1") == host_in("2001:db8:1:2:ffff::9"));
  CHECK(host_in("2001:db8:1:2::1") != host_in("2001:db8:1:3::1"));
  CHECK(host_in("10.0.0.1") != host_in("10.0.0.2"));
  CHECK(host_in("no address") == "no address");
}
