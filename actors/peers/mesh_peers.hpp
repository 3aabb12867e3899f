// The mesh as an actor. The messages of a validator go out as frames, and the frames of its peers
// come in. What must hold:
//   - The type of a frame names the kind of message in it, so that the limit of this kind is known
//     before memory is taken. This role does not read the message. It passes the type on to the
//     validator, which compares it with the message.
//   - Bytes that the validator has not dealt with yet count against the peer that sent them. When
//     they are too many, the mesh stops reading from this peer.
//   - A role is told of peers only after it has asked for them. A role that starts anew is told of
//     all peers that are connected. Messages about blobs go to the role that keeps the blobs.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "actors/mesh/mesh.hpp"
#include "actors/validator/peers_actor.hpp"
#include "actors/validator/validator_actor.hpp"
#include "messages/values/expected.hpp"

namespace soma::peers {

struct mesh_peers_options {
  mesh::host_port listen;              // port 0: the system chooses
  std::vector<mesh::mesh_peer> peers;  // to connect to
  mesh::mesh_limits limits;
  std::uint64_t seed = 0;
  /// The keys of the present committee. It is asked at the start and after each block that ends an
  /// epoch, on the actor's thread.
  std::function<std::vector<public_key>()> members;
};

/// How many other validators are connected. Any thread may read it.
struct mesh_count {
  std::atomic<std::uint32_t> connected{0};
};

struct mesh_peers {
  validator::peers_actor role;
  validator::block_watcher_actor watcher;  // the validator has to report its blocks to it
  std::uint16_t port = 0;
  std::shared_ptr<mesh_count> count;
};

/// Listens and connects until the actor ends. Returns the reason when it cannot listen.
[[nodiscard]] expected<mesh_peers, std::string> spawn_mesh_peers(caf::actor_system& system,
                                                                 const crypto::key_pair& key,
                                                                 mesh_peers_options options);

}  // namespace soma::peers
