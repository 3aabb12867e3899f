// What a server lets strangers cost it. SECURITY.md beside this file says what each limit protects
// from, and which test holds it.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

namespace soma::http {

/// Milliseconds of a monotonic clock. Tests bring a clock of their own.
using clock_ms = std::function<std::uint64_t()>;

struct server_limits {
  // Connections. A host is an IPv4 address or an IPv6 /64, a network an IPv4 /24 or an IPv6 /48.
  std::size_t connections = 1'024;
  std::size_t connections_per_host = 16;
  std::size_t connections_per_network = 64;
  std::uint32_t connections_per_second = 20;  // of one host, at the mean
  std::uint32_t connections_burst = 64;

  // Deadlines in milliseconds.
  std::uint32_t handshake_ms = 5'000;
  std::uint32_t header_ms = 5'000;    // from its first byte to its last; of a new connection, from
                                      // the handshake on
  std::uint32_t idle_ms = 30'000;     // between two requests
  std::uint32_t body_ms = 5'000;      // plus the bytes that have come / body_bytes_per_second
  std::uint32_t answer_ms = 120'000;  // until the handler answers
  std::uint32_t drain_ms = 10'000;    // in each such time, drain_bytes_per_second must have gone
  std::uint32_t linger_ms = 1'000;    // for the client to read a refusal

  // Rates in bytes a second. Who is slower is cut.
  std::uint32_t body_bytes_per_second = 16 * 1024;
  std::uint32_t drain_bytes_per_second = 4 * 1024;

  // Sizes in bytes.
  std::size_t header_bytes = 8 * 1024;
  std::size_t write_queue_bytes = 256 * 1024;  // of a stream; it may pass it by one piece
  std::size_t socket_send_bytes = 256 * 1024;  // that the system holds for a connection
  std::size_t memory_bytes = 256U << 20U;      // bodies and queues of all connections together

  // Requests of one host, counted by a token bucket.
  std::uint32_t requests_per_second = 50;
  std::uint32_t requests_burst = 100;
  std::size_t buckets = 16'384;  // hosts that are remembered; the one unseen for longest goes first

  // Of clients that send a request before they have the last response: so many of their requests
  // are answered at one time, or begun in 50 ms.
  std::size_t pipelined_requests = 4;

  std::uint32_t retry_after_s = 2;  // what 503 asks clients to wait
};

/// How many bytes all connections of a server hold together. Any thread may use it.
class memory_budget {
 public:
  explicit memory_budget(std::size_t most) : most_(most) {}

  /// False, and nothing is taken, when it would be more than the ceiling.
  [[nodiscard]] bool take(std::size_t size) {
    auto held = held_.load(std::memory_order_relaxed);
    do {
      if (size > most_ || held > most_ - size) return false;
    } while (!held_.compare_exchange_weak(held, held + size, std::memory_order_relaxed));
    return true;
  }
  void give_back(std::size_t size) { held_.fetch_sub(size, std::memory_order_relaxed); }
  [[nodiscard]] std::size_t held() const { return held_.load(std::memory_order_relaxed); }

 private:
  std::size_t most_;
  std::atomic<std::size_t> held_{0};
};

/// Bytes that one owner holds of a budget. They are given back with it.
class memory_share {
 public:
  memory_share() = default;
  explicit memory_share(std::shared_ptr<memory_budget> of) : of_(std::move(of)) {}
  memory_share(memory_share&& other) noexcept
      : of_(std::move(other.of_)), size_(std::exchange(other.size_, 0)) {}
  memory_share& operator=(memory_share&& other) noexcept {
    if (this != &other) {
      clear();
      of_ = std::move(other.of_);
      size_ = std::exchange(other.size_, 0);
    }
    return *this;
  }
  ~memory_share() { clear(); }

  [[nodiscard]] bool grow_to(std::size_t size) {
    if (size <= size_ || !of_) return true;
    if (!of_->take(size - size_)) return false;
    size_ = size;
    return true;
  }
  void clear() {
    if (of_ && size_ > 0) of_->give_back(size_);
    size_ = 0;
  }

 private:
  std::shared_ptr<memory_budget> of_;
  std::size_t size_ = 0;
};

/// What a server has done since it began. Any thread may read it.
struct server_counters {
  using count = std::atomic<std::uint64_t>;

  count connections_open{0};
  count connections{0};
  count bytes_in{0}, bytes_out{0};  // on the wire, TLS included
  count responses_2xx{0}, responses_3xx{0}, responses_4xx{0}, responses_5xx{0};

  // Refused or ended, by the limit.
  count refused_connections{0};       // of all, where no place could be made
  count refused_connections_host{0};  // of one host or network
  count refused_connections_rate{0};
  count refused_plain{0};  // without TLS from afar
  count displaced{0};      // closed before a request was whole, for a newcomer
  count failed_handshakes{0}, late_handshakes{0};
  count late_headers{0}, late_bodies{0};  // slow bodies too
  count late_answers{0};                  // of the handler
  count malformed{0};                     // what request_parser refuses
  count refused_by_endpoint{0};           // before the body
  count refused_rate{0};                  // 429
  count refused_memory{0};                // 503 and streams that were cut
  count slow_readers{0};
  count gone_clients{0};  // before their response was whole
};

}  // namespace soma::http
