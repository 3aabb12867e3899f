// The connections between validators. They carry frames of bounded size over TLS 1.3. A pair of
// validators has one connection; the mesh opens it again after each loss, as long as it lives.
//
// The identity of a peer is its Ed25519 key alone (security §2.2). The consensus key itself signs
// the handshake; messages/crypto/tls_session.hpp says why that is safe. Keys of the set given to
// set_members are members. Every other key is a stranger, which may connect too, but has small
// quotas. The votes of members are signed besides, so a stolen connection cannot vote.
//
// Nothing that a peer does may cost more than its quota. Security §3 to §6 explain each limit:
//   before the handshake is over   32 KiB and a deadline for each connection; a limit on the
//                                  connections of one address, and of all
//   receiving                      a frame's length is checked against the limit of its type before
//                                  memory is taken; header and body have deadlines; nothing is read
//                                  while the consumer owes more than in_flight_bytes
//   sending                        a peer that does not read is dropped at write_queue_bytes
//   misbehaving                    blame() adds points, which fade with time; a peer with too many
//                                  is refused for a while: a member by its key, but never more than
//                                  a third of the members at a time; a stranger by its address
//
// Frames of one connection arrive in order, each once. When a connection breaks, frames that were
// sent may be lost, and on_gone is called. The agreement repairs such losses, not the mesh.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "actors/mesh/host_port.hpp"
#include "messages/crypto/ed25519.hpp"
#include "messages/values/bytes.hpp"

namespace soma::mesh {

/// The number of one connection. A peer that connects again gets another number. It is never 0.
using peer_number = std::uint32_t;

/// Why a connection ended, for logs and counters.
enum class link_end : std::uint8_t {
  closed_by_peer,
  unreachable,      // no connection could be made, or it broke
  handshake_late,   // the handshake did not end within its deadline
  handshake_wrong,  // the peer did not speak TLS 1.3, or had no Ed25519 key, or sent damaged bytes
  wrong_key,        // another key than the peer's answered at its address
  own_key,          // the peer is this node itself, or another process with its key
  replaced,         // the pair has another connection
  frame_wrong,      // frame_reader refused a frame
  frame_late,       // a header or a body missed its deadline
  idle,             // not even a keep-alive came
  not_reading,      // the write queue is full, or does not shrink
  blamed,
  refused,   // for earlier misbehaviour
  too_many,  // a limit on the number of connections is reached
  closed_here,
};
[[nodiscard]] std::string_view to_text(link_end why);

struct mesh_peer {
  public_key key{};
  host_port at;
};

struct link_quota {
  std::size_t in_flight_bytes = 0;    // given to on_frame and not consumed yet
  std::size_t write_queue_bytes = 0;  // waiting to be sent
};

struct mesh_limits {
  // Deadlines, by security §4.1, §4.2 and §4.3.
  std::uint32_t handshake_ms = 5'000;  // TCP and TLS together
  std::uint32_t header_ms = 5'000;
  std::uint32_t body_ms = 5'000;  // plus length / body_bytes_per_second
  std::uint32_t body_bytes_per_second = 16 * 1024;
  std::uint32_t idle_ms = 60'000;  // a keep-alive goes out after a third of it
  std::uint32_t retry_min_ms = 250;
  std::uint32_t retry_max_ms = 5'000;
  // By security §5.1 and §5.2 connections are bounded before the handshake is over and after it.
  std::size_t pending_per_address = 8;  // incoming, before the handshake is over
  std::size_t pending = 128;            // of all addresses at which no known peer is
  std::size_t strangers = 64;
  std::size_t strangers_per_address = 8;
  // What a connection may hold, by security §5.3 and §4.4.
  link_quota member{2U << 20U, 4U << 20U};
  link_quota stranger{256U << 10U, 2U << 20U};
  // The price of misbehaviour, by security §6.1.
  std::uint32_t refuse_at = 100;     // points
  std::uint32_t forget_ms = 60'000;  // half of the points are forgotten after this long
  std::uint32_t refuse_for_ms = 60'000;
};

struct mesh_options {
  host_port listen{"127.0.0.1", 0};  // port 0: the system chooses
  std::vector<mesh_peer> peers;      // to connect to; an entry with the own key is ignored
  std::vector<public_key> members;   // see set_members
  /// The most bytes that a frame of this type may carry; nullopt when such a peer must not send
  /// this type. Called on the mesh's thread. Type 0 belongs to the mesh itself.
  std::function<std::optional<std::uint32_t>(std::uint16_t type, bool is_member)> frame_limit;
  mesh_limits limits;
  std::uint64_t seed = 0;  // of the random part of the pauses between attempts to connect
};

/// They run on the mesh's thread and must neither block nor throw. They may call the mesh, but must
/// not destroy it.
struct mesh_callbacks {
  std::function<void(peer_number, const public_key&)> on_connected;
  std::function<void(peer_number, link_end)> on_gone;  // only after on_connected
  /// The consumer has to call `consumed(peer, payload.size())` when it is done with the payload.
  std::function<void(peer_number, std::uint16_t type, bytes payload)> on_frame;
};

class mesh {
 public:
  /// Listens, and begins to connect. Throws std::system_error when it cannot listen there.
  mesh(const crypto::key_pair& key, mesh_options options, mesh_callbacks callbacks);
  /// Closes all connections. When it returns, no callback is running and none will run.
  ~mesh();
  mesh(const mesh&) = delete;
  mesh& operator=(const mesh&) = delete;

  [[nodiscard]] std::uint16_t port() const;

  // The functions below may be called on any thread and do not wait. Calls of one thread take
  // effect in their order. A number whose connection is gone is ignored.

  /// Sends one frame with type > 0 to these peers; to all connected peers when `to` is empty.
  void send(std::vector<peer_number> to, std::uint16_t type, byte_view payload);
  /// The consumer is done with a payload of this many bytes, which on_frame gave to it.
  void consumed(peer_number peer, std::size_t payload_bytes);
  /// Adds points for misbehaviour. At limits.refuse_at points the peer is dropped and refused.
  void blame(peer_number peer, std::uint32_t points);
  /// The quotas of open connections change with the set (security §5.4).
  void set_members(std::vector<public_key> members);
  void set_peers(std::vector<mesh_peer> peers);

 private:
  class core;
  std::unique_ptr<core> core_;
};

}  // namespace soma::mesh
