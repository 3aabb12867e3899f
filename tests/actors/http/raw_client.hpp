// A client that may send anything: a plain socket, on which it may also speak TLS. And a server
// whose clock the test moves.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "actors/http/server.hpp"
#include "messages/crypto/public_tls/session.hpp"

namespace soma::test {

class raw_client {
 public:
  struct setting {
    std::string from = "127.0.0.1";
    std::string to = "127.0.0.1";
    int receive_bytes = 0;  // of the socket; 0: the system chooses
    std::shared_ptr<const public_tls::client_trust> trust = nullptr;  // nullptr: plain
  };
  explicit raw_client(std::uint16_t port) : raw_client(port, setting{}) {}
  raw_client(std::uint16_t port, const setting& how);
  ~raw_client();
  raw_client(const raw_client&) = delete;
  raw_client& operator=(const raw_client&) = delete;

  /// False when the other end has closed, or has not read for 300 ms.
  bool send(std::string_view text);
  /// The same without TLS, also in the middle of a TLS connection.
  bool send_bare(byte_view wire);
  /// Reads until `needle` has come, the other end has closed, or the time is over; gives everything
  /// that has come since the last call.
  std::string read_until(std::string_view needle, int at_most_ms = 2'000);
  /// Reads to the end of the connection; nullopt when it does not come in time.
  std::optional<std::string> read_to_end(int at_most_ms = 2'000);
  /// The status of the next response, whose header and body of known length it reads; 0 when there
  /// is none.
  unsigned status(int at_most_ms = 2'000);
  [[nodiscard]] const std::string& last_head() const { return head_; }
  [[nodiscard]] const std::string& last_body() const { return body_; }
  [[nodiscard]] bool is_closed_within(int at_most_ms);

 private:
  /// False when nothing came: the connection has ended, or the time is over.
  bool read_some(int at_most_ms);

  int socket_ = -1;
  bool ended_ = false;
  std::optional<public_tls::session> tls_;
  std::string in_, head_, body_;
};

/// Waits until it is so, at most two seconds of real time.
bool wait_for(const std::function<bool()>& so);

/// A server on loopback. It answers /a with "hello", /echo with the body, whatever else with what
/// the test says. Bodies have at most 100,000 bytes.
struct test_server {
  std::shared_ptr<std::atomic<std::uint64_t>> time_ms =
      std::make_shared<std::atomic<std::uint64_t>>(1'000'000);
  std::atomic<int> requests{0};
  std::unique_ptr<http::server> is;

  explicit test_server(const std::function<void(http::server_options&)>& change = {});
  void pass_ms(std::uint64_t ms) { *time_ms += ms; }
  /// Returns when the server has dealt with all that it had begun, by asking it something.
  void settle() const;
  [[nodiscard]] std::uint16_t port() const { return is->port(); }
  [[nodiscard]] const http::server_counters& counters() const { return is->counters(); }
};

inline const std::string get_a = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";

}  // namespace soma::test
