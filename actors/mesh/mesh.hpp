// The connections between validators: bounded frames over TLS 1.3, one connection a pair, opened
// again for as long as the process lives.
//
// Who a peer is, is its Ed25519 key and nothing else (security §2.2): the consensus key itself
// signs the handshake (messages/crypto/tls_session.hpp says why that is safe). Keys of the set
// given to set_members are members; every other key is a stranger, who may connect too but has
// small quotas. What a member says is signed besides, so a stolen connection cannot vote.
//
// Nothing a peer does may cost more than its quota (security §3 to §6, which explain each limit):
//   before the handshake is over   64 KiB; a deadline; so many for an address and in all
//   receiving                      a frame's length is checked against its type's limit before
//                                  memory is taken; deadlines for header and body; while the
//                                  consumer owes more than in_flight_bytes, nothing is read
//   sending                        a peer that does not read is dropped at write_queue_bytes
//   misbehaving                    blame() counts and forgets; too much, and the peer is refused
//                                  for a while: members by key and never more than a third of them
//                                  at a time, strangers by address
// Delivery: frames of one connection arrive in order, each once. Connections break: what was sent
// may be lost, and then on_gone comes. Everything here is about links; agreement repairs losses.
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

/// One connection while it lasts: a peer that comes back has another number. Never 0.
using peer_number = std::uint32_t;

/// Why a connection ended, for logs and counters.
enum class link_end : std::uint8_t {
  closed_by_peer,
  unreachable,      // no connection, or it broke
  handshake_late,   // no end of it within its deadline
  handshake_wrong,  // not TLS 1.3, no key of ours, damaged
  wrong_key,        // somebody else answers where a peer should be
  own_key,          // this node itself, or another process with its key
  replaced,         // the pair has another connection
  frame_wrong,      // refused by frame_reader
  frame_late,       // header or body not within the deadline
  idle,             // not even a keep-alive
  not_reading,      // the write queue is full, or stands still
  blamed,
  refused,  // for earlier misbehaviour
  too_many,
  closed_here,
};
[[nodiscard]] std::string_view to_text(link_end why);

struct mesh_peer {
  public_key key{};
  host_port at;
};

struct link_quota {
  std::size_t in_flight_bytes = 0;    // handed to on_frame and not consumed yet
  std::size_t write_queue_bytes = 0;  // waiting to be sent
};

struct mesh_limits {
  // Deadlines, by security §4.1, §4.2 and §4.3.
  std::uint32_t handshake_ms = 5'000;  // TCP and TLS together
  std::uint32_t header_ms = 5'000;
  std::uint32_t body_ms = 5'000;  // and length / body_bytes_per_second on top
  std::uint32_t body_bytes_per_second = 16 * 1024;
  std::uint32_t idle_ms = 60'000;  // a keep-alive goes out after a third of it
  std::uint32_t retry_min_ms = 250;
  std::uint32_t retry_max_ms = 5'000;
  // By security §5.1 and §5.2 connections are bounded before the handshake is over and after it.
  std::size_t pending_per_address = 8;  // incoming, before the handshake is over
  std::size_t pending = 128;            // of all addresses that no peer of ours has
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
  std::vector<mesh_peer> peers;      // to connect to; the own key in it is passed over
  std::vector<public_key> members;   // see set_members
  /// The most bytes a frame of this type may carry; nullopt: no such type for such a peer. Called
  /// on the mesh's thread. Type 0 is the mesh's own.
  std::function<std::optional<std::uint32_t>(std::uint16_t type, bool is_member)> frame_limit;
  mesh_limits limits;
  std::uint64_t seed = 0;  // of the jitter between attempts to connect
};

/// On the mesh's thread; must neither block nor throw. They may call the mesh, but not destroy it.
struct mesh_callbacks {
  std::function<void(peer_number, const public_key&)> on_connected;
  std::function<void(peer_number, link_end)> on_gone;  // of one that was connected
  /// The consumer owes `consumed(peer, size of payload)` for it.
  std::function<void(peer_number, std::uint16_t type, bytes payload)> on_frame;
};

class mesh {
 public:
  /// Listens, and begins to connect. Throws std::system_error when it cannot listen there.
  mesh(const crypto::key_pair& key, mesh_options options, mesh_callbacks callbacks);
  /// Closes all connections. No callback runs any more, and none after it.
  ~mesh();
  mesh(const mesh&) = delete;
  mesh& operator=(const mesh&) = delete;

  [[nodiscard]] std::uint16_t port() const;

  // All of the following: from any thread, without waiting, in the order of the calls of one
  // thread. A number whose connection is gone is passed over.

  /// One frame, type > 0, to these, or to everybody connected when `to` is empty.
  void send(std::vector<peer_number> to, std::uint16_t type, byte_view payload);
  /// on_frame's payload of this many bytes is done with.
  void consumed(peer_number peer, std::size_t payload_bytes);
  /// Points for misbehaviour; limits.refuse_at of them, and the peer is dropped and refused.
  void blame(peer_number peer, std::uint32_t points);
  /// Open connections change their quotas with it (security §5.4).
  void set_members(std::vector<public_key> members);
  void set_peers(std::vector<mesh_peer> peers);

 private:
  class core;
  std::unique_ptr<core> core_;
};

}  // namespace soma::mesh
