#include "actors/gateway/host_buckets.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

namespace soma::gateway {

std::string host_in(std::string_view peer) {
  std::string text(peer);
  std::array<char, 16> address{};
  if (::inet_pton(AF_INET6, text.c_str(), address.data()) != 1) return text;
  return "/64 " + std::string(address.data(), 8);
}

host_buckets::host_buckets(host_rates rates) : rates_(rates) {
  constexpr auto most = std::uint64_t{1} << 40U;
  rates_.all_per_second = std::clamp<std::uint64_t>(rates.all_per_second, 1, most);
  rates_.host_per_second = std::clamp<std::uint64_t>(rates.host_per_second, 1, most);
  rates_.burst_seconds = std::clamp(rates.burst_seconds, 1U, 3'600U);
  rates_.hosts = std::max<std::size_t>(rates.hosts, 1);
  all_.left = static_cast<std::int64_t>(rates_.all_per_second * rates_.burst_seconds);
}

void host_buckets::fill(bucket& one, std::uint64_t per_second, std::uint32_t burst_seconds,
                        std::uint64_t now_ms) {
  constexpr std::uint64_t longest_ms = 3'600'000;
  const auto passed_ms = std::min(now_ms - std::min(now_ms, one.at_ms), longest_ms);
  one.left = std::min(one.left + static_cast<std::int64_t>(per_second * passed_ms / 1'000),
                      static_cast<std::int64_t>(per_second * burst_seconds));
  // Of a time that brings less than one nothing is lost.
  if (per_second * passed_ms >= 1'000) one.at_ms = now_ms;
}

host_buckets::bucket& host_buckets::bucket_of(const std::string& host, std::uint64_t now_ms) {
  const auto known = hosts_.find(host);
  if (known != hosts_.end()) return known->second;
  if (hosts_.size() >= rates_.hosts) {
    hosts_.erase(
        std::ranges::min_element(hosts_, {}, [](const auto& one) { return one.second.at_ms; }));
  }
  const auto full = rates_.host_per_second * rates_.burst_seconds;
  return hosts_.emplace(host, bucket{static_cast<std::int64_t>(full), now_ms}).first->second;
}

bool host_buckets::take(const std::string& host, std::uint64_t amount, std::uint64_t now_ms) {
  auto& mine = bucket_of(host, now_ms);
  fill(all_, rates_.all_per_second, rates_.burst_seconds, now_ms);
  fill(mine, rates_.host_per_second, rates_.burst_seconds, now_ms);
  if (all_.left <= 0 || mine.left <= 0) return false;
  all_.left -= static_cast<std::int64_t>(amount);
  mine.left -= static_cast<std::int64_t>(amount);
  return true;
}

}  // namespace soma::gateway
