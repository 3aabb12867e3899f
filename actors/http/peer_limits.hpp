// Who may connect and ask, by address. One thread uses it.
#pragma once

#include <array>
#include <boost/asio/ip/address.hpp>
#include <list>
#include <map>

#include "actors/http/limits.hpp"

namespace soma::http {

/// An address, or the part of it that one customer of a network has. Addresses of IPv4 that are
/// written as IPv6 are those of IPv4.
using address_key = std::array<std::uint8_t, 9>;
[[nodiscard]] address_key host_of(const boost::asio::ip::address& address);     // /32, or IPv6 /64
[[nodiscard]] address_key network_of(const boost::asio::ip::address& address);  // /24, or IPv6 /48

/// Token buckets by host. A host that is not known has a full bucket. At most `most` hosts are
/// known; the one that has taken nothing for longest is forgotten first, so a flood from new hosts
/// makes others forget what they have used up, and never refuses them.
class token_buckets {
 public:
  token_buckets(std::uint32_t per_second, std::uint32_t burst, std::size_t most);

  /// Takes a token. False when there is none.
  [[nodiscard]] bool take(const address_key& host, std::uint64_t now_ms);
  /// The whole seconds, at least one, after which this host has a token.
  [[nodiscard]] std::uint32_t wait_s(const address_key& host, std::uint64_t now_ms) const;
  [[nodiscard]] std::size_t size() const { return by_host_.size(); }

 private:
  struct bucket {
    address_key host;
    std::uint64_t millitokens;
    std::uint64_t at_ms;
  };
  [[nodiscard]] std::uint64_t filled(const bucket& b, std::uint64_t now_ms) const;

  std::uint64_t per_second_;
  std::uint64_t burst_millitokens_;
  std::size_t most_;
  std::list<bucket> recent_;  // the one that took last comes first
  std::map<address_key, std::list<bucket>::iterator> by_host_;
};

/// The open connections of each host and each network.
class connection_counts {
 public:
  /// Counts one more, or returns false when the host or its network has as many as it may.
  [[nodiscard]] bool enter(const boost::asio::ip::address& from, const server_limits& limits);
  void leave(const boost::asio::ip::address& from);
  [[nodiscard]] std::size_t size() const { return hosts_.size() + networks_.size(); }

 private:
  std::map<address_key, std::size_t> hosts_, networks_;
};

}  // namespace soma::http
