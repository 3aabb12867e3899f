// How much of something a gateway gives in a second, such as bytes of blobs or checks of
// signatures: in all, and for one host. What must hold:
//   - A host that takes all it can get leaves the rest of the rate to others.
//   - What is remembered is bounded. The host that has taken nothing for longest is forgotten
//     first, so a flood of new hosts makes others forget what they have used, and refuses nobody.
// A host is an IPv4 address or an IPv6 /64: what one customer of a network has. Nothing waits here;
// who is refused asks again later.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace soma::gateway {

struct host_rates {
  std::uint64_t all_per_second = 1;
  std::uint64_t host_per_second = 1;
  std::uint32_t burst_seconds = 2;  // so much of a rate may be saved up
  std::size_t hosts = 4'096;        // that are remembered
};

/// The part of an address that one customer has, as a key; a text that is no address is its own.
[[nodiscard]] std::string host_in(std::string_view peer);

class host_buckets {
 public:
  explicit host_buckets(host_rates rates);

  /// Counts so much for this host, unless its bucket or that of all is empty. A bucket may go below
  /// zero by one call, so that a chunk need not be saved up for.
  [[nodiscard]] bool take(const std::string& host, std::uint64_t amount, std::uint64_t now_ms);
  [[nodiscard]] std::size_t hosts() const { return hosts_.size(); }

 private:
  struct bucket {
    std::int64_t left = 0;
    std::uint64_t at_ms = 0;
  };
  static void fill(bucket& one, std::uint64_t per_second, std::uint32_t burst_seconds,
                   std::uint64_t now_ms);
  bucket& bucket_of(const std::string& host, std::uint64_t now_ms);

  host_rates rates_;
  bucket all_;
  std::map<std::string, bucket> hosts_;
};

}  // namespace soma::gateway
