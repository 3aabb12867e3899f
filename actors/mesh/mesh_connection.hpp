// One connection of the mesh, from the first packet to the last. Only the sources of the mesh
// include this file, and everything here runs on the mesh's thread. An idle connection holds no
// buffers.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <deque>
#include <memory>

#include "actors/mesh/mesh.hpp"
#include "messages/crypto/tls_session.hpp"
#include "messages/wire/frame.hpp"

namespace soma::mesh {

namespace asio = boost::asio;

using framed_bytes = std::shared_ptr<const bytes>;

inline constexpr std::uint16_t keep_alive_type = 0;  // its frames are empty

class mesh_connection;

/// The owner of connections, which is told what happens to them. It may close the connection in
/// each of these calls.
class mesh_owner {
 public:
  virtual void opened(mesh_connection& which) = 0;
  virtual void arrived(mesh_connection& which, frame what) = 0;
  /// The last call for this connection. The owner may forget it.
  virtual void closed(mesh_connection& which, link_end why) = 0;

 protected:
  ~mesh_owner() = default;
};

/// Milliseconds of a monotonic clock, which never goes back.
[[nodiscard]] std::uint64_t mesh_now_ms();

class mesh_connection : public std::enable_shared_from_this<mesh_connection> {
 public:
  struct setting {
    const mesh_options& options;
    const crypto::tls_identity& identity;
    mesh_owner& owner;
  };
  using tcp = asio::ip::tcp;

  mesh_connection(const setting& all, peer_number number, crypto::tls_side side,
                  tcp::socket socket);

  /// Begins as a server: the peer `from` has connected the socket.
  void answer(const asio::ip::address& from);
  void call(const host_port& at);
  void send(framed_bytes framed);
  void consumed(std::size_t payload_bytes);
  void tick(std::uint64_t now_ms);
  void close(link_end why);
  void set_member(bool member);

  [[nodiscard]] peer_number number() const { return number_; }
  [[nodiscard]] crypto::tls_side side() const { return side_; }
  [[nodiscard]] bool is_open() const { return stage_ == stage::open; }
  [[nodiscard]] bool is_member() const { return member_; }
  /// The peer's key. Only for an open connection.
  [[nodiscard]] const public_key& key() const { return *tls_.peer_key(); }
  [[nodiscard]] std::uint64_t opened_ms() const { return opened_ms_; }
  /// The peer's address; the unspecified one until it is known.
  [[nodiscard]] const asio::ip::address& address() const { return address_; }

 private:
  enum class stage : std::uint8_t { calling, handshaking, open, closed };

  [[nodiscard]] const mesh_limits& limits() const { return all_.options.limits; }
  [[nodiscard]] const link_quota& quota() const;
  [[nodiscard]] std::optional<std::uint32_t> frame_limit(std::uint16_t type) const;
  void connect(std::vector<tcp::endpoint> to, std::size_t next);
  void begin();
  void wait_to_read();
  void read();
  void take(crypto::tls_state now, byte_view plain);
  void take_frames(byte_view plain);
  void flush();
  bool fill_out();
  [[nodiscard]] std::size_t unsent_bytes() const;
  [[nodiscard]] std::optional<link_end> overdue(std::uint64_t now_ms) const;

  setting all_;
  peer_number number_;
  crypto::tls_side side_;
  tcp::socket socket_;
  tcp::resolver resolver_;
  crypto::tls_session tls_;
  frame_reader reader_;
  stage stage_ = stage::calling;
  asio::ip::address address_;
  bool member_ = false;

  std::uint64_t begun_ms_;
  std::uint64_t opened_ms_ = 0;
  std::uint64_t arrived_ms_ = 0;  // when bytes came last
  std::uint64_t frame_ms_ = 0;    // when the header of the present frame began to come
  std::uint64_t body_ms_ = 0;     // when its body began to come; 0: it has not
  std::uint64_t sent_ms_ = 0;     // when bytes went out last

  bool reading_ = false;  // a read waits for the socket
  std::size_t in_flight_bytes_ = 0;
  std::size_t handshake_bytes_ = 0;

  bool writing_ = false;  // a write waits for the socket
  std::deque<framed_bytes> queue_;
  std::size_t queue_front_at_ = 0;  // so many bytes of the first frame are in out_ already
  std::size_t queued_bytes_ = 0;
  bytes out_;  // ciphertext
  std::size_t out_at_ = 0;
};

}  // namespace soma::mesh
