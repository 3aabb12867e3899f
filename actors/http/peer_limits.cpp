#include "actors/http/peer_limits.hpp"

#include <algorithm>

namespace soma::http {
namespace {

address_key key_of(const boost::asio::ip::address& address, std::size_t v4_bytes,
                   std::size_t v6_bytes) {
  address_key key{};
  if (address.is_v4() || address.to_v6().is_v4_mapped()) {
    const auto all = (address.is_v4() ? address.to_v4()
                                      : boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped,
                                                                         address.to_v6()))
                         .to_bytes();
    key[0] = 4;
    std::copy_n(all.begin(), v4_bytes, key.begin() + 1);
  } else {
    const auto all = address.to_v6().to_bytes();
    key[0] = 6;
    std::copy_n(all.begin(), v6_bytes, key.begin() + 1);
  }
  return key;
}

void take_one(std::map<address_key, std::size_t>& from, const address_key& key) {
  const auto found = from.find(key);
  if (found != from.end() && --found->second == 0) from.erase(found);
}

}  // namespace

address_key host_of(const boost::asio::ip::address& address) {
  return key_of(address, 4, 8);
}
address_key network_of(const boost::asio::ip::address& address) {
  return key_of(address, 3, 6);
}

token_buckets::token_buckets(std::uint32_t per_second, std::uint32_t burst, std::size_t most)
    : per_second_(std::max(per_second, 1U)),
      burst_millitokens_(std::uint64_t{std::max(burst, 1U)} * 1000),
      most_(std::max<std::size_t>(most, 1)) {}

std::uint64_t token_buckets::filled(const bucket& b, std::uint64_t now_ms) const {
  const auto passed_ms = std::min<std::uint64_t>(now_ms - std::min(now_ms, b.at_ms), 1U << 30U);
  return std::min(burst_millitokens_, b.millitokens + passed_ms * per_second_);
}

bool token_buckets::take(const address_key& host, std::uint64_t now_ms) {
  const auto known = by_host_.find(host);
  if (known != by_host_.end()) {
    recent_.splice(recent_.begin(), recent_, known->second);
  } else {
    if (by_host_.size() >= most_) {
      by_host_.erase(recent_.back().host);
      recent_.pop_back();
    }
    recent_.push_front({host, burst_millitokens_, now_ms});
    by_host_.emplace(host, recent_.begin());
  }
  auto& mine = recent_.front();
  mine.millitokens = filled(mine, now_ms);
  mine.at_ms = now_ms;
  if (mine.millitokens < 1000) return false;
  mine.millitokens -= 1000;
  return true;
}

std::uint32_t token_buckets::wait_s(const address_key& host, std::uint64_t now_ms) const {
  const auto known = by_host_.find(host);
  if (known == by_host_.end()) return 1;
  const auto has = filled(*known->second, now_ms);
  const auto missing = has >= 1000 ? 0 : 1000 - has;
  const auto seconds = (missing + per_second_ * 1000 - 1) / (per_second_ * 1000);
  return std::max<std::uint32_t>(static_cast<std::uint32_t>(seconds), 1);
}

bool connection_counts::enter(const boost::asio::ip::address& from, const server_limits& limits) {
  const auto host = host_of(from);
  const auto network = network_of(from);
  const auto count = [](const std::map<address_key, std::size_t>& in, const address_key& key) {
    const auto found = in.find(key);
    return found == in.end() ? std::size_t{0} : found->second;
  };
  if (count(hosts_, host) >= limits.connections_per_host ||
      count(networks_, network) >= limits.connections_per_network) {
    return false;
  }
  ++hosts_[host];
  ++networks_[network];
  return true;
}

void connection_counts::leave(const boost::asio::ip::address& from) {
  take_one(hosts_, host_of(from));
  take_one(networks_, network_of(from));
}

}  // namespace soma::http
