// A peer that may send anything: a plain socket, on which it may also speak TLS.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "actors/mesh/host_port.hpp"
#include "messages/crypto/tls_session.hpp"
#include "messages/values/bytes.hpp"

namespace soma::tests {

class hostile_peer {
 public:
  /// Connects from this loopback address.
  explicit hostile_peer(const mesh::host_port& to, const std::string& from = "127.0.0.1");
  /// Takes the socket of a connection that exists.
  explicit hostile_peer(int socket);
  ~hostile_peer();
  hostile_peer(const hostile_peer&) = delete;
  hostile_peer& operator=(const hostile_peer&) = delete;

  /// False when the other end has closed the connection.
  bool send_raw(byte_view data);
  /// The bytes that come within the time; nullopt when the other end has closed the connection.
  std::optional<bytes> read_raw(int at_most_ms);
  /// Whether the other end closes within the time; bytes that it sends before are ignored.
  bool is_closed_within(int at_most_ms);

  /// Does a whole handshake. False when it failed.
  bool shake_hands(const crypto::key_pair& key, crypto::tls_side side = crypto::tls_side::client);
  /// Sends bytes inside TLS. It reads and answers nothing.
  bool send(byte_view plain);

 private:
  int socket_ = -1;
  std::optional<crypto::tls_identity> identity_;
  std::optional<crypto::tls_session> session_;
};

/// Listens where a node connects, and gives it a hostile peer.
class hostile_listener {
 public:
  hostile_listener();
  ~hostile_listener();
  hostile_listener(const hostile_listener&) = delete;
  hostile_listener& operator=(const hostile_listener&) = delete;

  [[nodiscard]] const mesh::host_port& at() const { return at_; }
  /// The next peer that connects; nullptr when none does within the time.
  std::unique_ptr<hostile_peer> accept(int at_most_ms);

 private:
  int socket_ = -1;
  mesh::host_port at_{"127.0.0.1", 0};
};

}  // namespace soma::tests
