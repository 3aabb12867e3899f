// The connection of a client: a socket, perhaps a proxy, perhaps TLS. Every wait has a limit. Only
// the sources of this folder include this file.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <optional>

#include "actors/http/client.hpp"

namespace soma::http {

/// A pipe that can be written on any thread, and on which a waiting thread sees that it should end.
class cancel_signal {
 public:
  cancel_signal();
  ~cancel_signal();
  cancel_signal(const cancel_signal&) = delete;
  cancel_signal& operator=(const cancel_signal&) = delete;
  void raise();
  [[nodiscard]] int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

class client_link {
 public:
  using result = expected<void, client_failure>;

  client_link(const client_options& options, const cancel_signal& cancelled);

  /// Connects, through the proxy if there is one, and shakes hands.
  [[nodiscard]] result open();
  /// The time at which the present exchange is over, on the clock of now_ms(); 0: never.
  void end_at(std::uint64_t time_ms) { end_ms_ = time_ms; }
  [[nodiscard]] result write(byte_view plain);
  /// Waits for bytes and appends them. An end of the connection is `broken`, with at_end() true.
  [[nodiscard]] result read(bytes& plain);
  [[nodiscard]] bool at_end() const { return at_end_; }
  /// Whether the other end has closed, or has sent something that nobody asked for.
  [[nodiscard]] bool is_stale();
  [[nodiscard]] std::optional<hash256> server_pin() const;

  [[nodiscard]] static std::uint64_t now_ms();

 private:
  using tcp = boost::asio::ip::tcp;

  [[nodiscard]] result resolve(const origin& to, std::vector<tcp::endpoint>& found);
  [[nodiscard]] result connect(const origin& to);
  [[nodiscard]] result ask_proxy();
  [[nodiscard]] result shake_hands();
  [[nodiscard]] result wait(bool for_reading);
  [[nodiscard]] result write_raw(byte_view data);
  [[nodiscard]] result read_raw(bytes& data);
  [[nodiscard]] client_failure failure(client_failure_kind kind, std::string why) const;

  const client_options& options_;
  const cancel_signal& cancelled_;
  std::uint64_t end_ms_ = 0;
  bool at_end_ = false;
  boost::asio::io_context io_{1};
  tcp::socket socket_{io_};
  std::optional<public_tls::session> tls_;
};

}  // namespace soma::http
