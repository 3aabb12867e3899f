// A peer that does what it likes: a plain socket, with TLS on it when it wants some.
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
  /// Connects, from one of this machine's loopback addresses.
  explicit hostile_peer(const mesh::host_port& to, const std::string& from = "127.0.0.1");
  /// One end of a connection that is there already.
  explicit hostile_peer(int socket);
  ~hostile_peer();
  hostile_peer(const hostile_peer&) = delete;
  hostile_peer& operator=(const hostile_peer&) = delete;

  /// False: the other end has closed.
  bool send_raw(byte_view data);
  /// Whatever comes within the time; nullopt: the other end has closed.
  std::optional<bytes> read_raw(int at_most_ms);
  /// Whether the other end closes within the time, whatever it says until then.
  bool is_closed_within(int at_most_ms);

  /// A whole handshake. False: it did not come about.
  bool shake_hands(const crypto::key_pair& key, crypto::tls_side side = crypto::tls_side::client);
  /// Inside TLS; answers nothing and reads nothing.
  bool send(byte_view plain);

 private:
  int socket_ = -1;
  std::optional<crypto::tls_identity> identity_;
  std::optional<crypto::tls_session> session_;
};

/// Where a node calls and finds a hostile one.
class hostile_listener {
 public:
  hostile_listener();
  ~hostile_listener();
  hostile_listener(const hostile_listener&) = delete;
  hostile_listener& operator=(const hostile_listener&) = delete;

  [[nodiscard]] const mesh::host_port& at() const { return at_; }
  /// nullptr: nobody called within the time.
  std::unique_ptr<hostile_peer> accept(int at_most_ms);

 private:
  int socket_ = -1;
  mesh::host_port at_{"127.0.0.1", 0};
};

}  // namespace soma::tests
