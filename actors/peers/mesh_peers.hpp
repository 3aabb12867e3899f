// The mesh as an actor: what a validator says goes out as frames, what its peers say comes in. What
// must hold:
//   - A frame's type names the kind of message in it, so that the limit of its kind is known before
//     memory is taken for it.
//   - What the validator has not dealt with counts against the peer that sent it: the mesh reads no
//     more of that one meanwhile.
//   - Nobody is heard of by a validator that has not asked for it, and a validator that starts anew
//     is told of everybody.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "actors/link/mesh.hpp"
#include "actors/validator/peers_actor.hpp"
#include "actors/validator/validator_actor.hpp"
#include "messages/types/expected.hpp"

namespace soma::actors {

struct mesh_peers_options {
  host_port listen;              // port 0: the system chooses
  std::vector<mesh_peer> peers;  // to connect to
  mesh_limits limits;
  std::uint64_t seed = 0;
  /// The keys of the committee now; asked at the start and after each block that ends an epoch, on
  /// the actor's thread.
  std::function<std::vector<public_key>()> members;
};

/// How many others are connected: for whoever shows it, on any thread.
struct mesh_count {
  std::atomic<std::uint32_t> connected{0};
};

struct mesh_peers {
  peers_actor role;
  block_watcher_actor watcher;  // for the validator that it serves
  std::uint16_t port = 0;
  std::shared_ptr<mesh_count> count;
};

/// Listens and connects until the actor ends. The reason when it cannot listen.
[[nodiscard]] expected<mesh_peers, std::string> spawn_mesh_peers(caf::actor_system& system,
                                                                 const crypto::key_pair& key,
                                                                 mesh_peers_options options);

}  // namespace soma::actors
