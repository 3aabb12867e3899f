#include "actors/peers/mesh_peers.hpp"

#include <caf/actor_system.hpp>
#include <map>
#include <mutex>
#include <system_error>

#include "actors/interface/describe_error.hpp"
#include "messages/codec/codec_consensus.hpp"
#include "messages/codec/model_entry.hpp"
#include "messages/values/assert.hpp"

namespace soma::peers {
namespace {

using from_peer = message<schema::FromPeer>;

/// The role together with the messages that the mesh's thread sends to it.
using inside_actor = validator::peers_actor::extend<caf::reacts_to<from_peer>,
                                                    caf::reacts_to<message<schema::BlockNotice>>>;

/// So many points end a connection at once. By security §6.4 a validator blames only what no honest
/// validator does.
constexpr std::uint32_t blame_points = 100;

/// Carries messages from the mesh's thread to the actor, which begins later and ends earlier than
/// the mesh.
class inbox {
 public:
  void put(from_peer what) {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    if (to_) {
      caf::anon_send(to_, std::move(what));
    } else {
      early_.push_back(std::move(what));
    }
  }
  void open(const inside_actor& to) {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    to_ = to;
    for (auto& what : early_) caf::anon_send(to_, std::move(what));
    early_.clear();
  }
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    to_ = nullptr;
  }

 private:
  std::mutex mutex_;
  bool closed_ = false;
  inside_actor to_;
  std::vector<from_peer> early_;
};

/// What the spawner gives to the role. The mesh exists before the actor.
struct mesh_parts {
  std::shared_ptr<inbox> in;
  std::unique_ptr<mesh::mesh> links;
  std::shared_ptr<mesh_count> count;
  std::function<std::vector<public_key>()> members;
};

struct mesh_peers_state {
  std::shared_ptr<mesh_parts> parts;
  validator::peer_listener_actor listener;       // the validator
  validator::peer_listener_actor blob_listener;  // hears the messages about blobs
  std::map<mesh::peer_number, public_key> connected;
};
using self_pointer = inside_actor::stateful_pointer<mesh_peers_state>;

from_peer connected_message(mesh::peer_number peer, const public_key& key) {
  return from_peer::build([&](auto out) {
    out.setPeer(peer);
    out.setConnected(data_of(key));
  });
}

/// Allows the mesh to read so many bytes more from this peer.
void give_back(self_pointer self, mesh::peer_number peer, std::size_t size) {
  const auto& links = self->state.parts->links;
  if (size != 0 && links) links->consumed(peer, size);
}

void tell(self_pointer self, const validator::peer_listener_actor& listener, const from_peer& what,
          std::size_t size) {
  const auto peer = what.root().getPeer();
  if (!listener) return give_back(self, peer, size);
  self->request(listener, caf::infinite, what)
      .then([self, peer, size](const message<schema::Ack>&) { give_back(self, peer, size); },
            [self, peer, size](const caf::error&) { give_back(self, peer, size); });
}

void hear(self_pointer self, schema::HearPeers::Reader wanted) {
  auto& listener = wanted.getOfBlobs() ? self->state.blob_listener : self->state.listener;
  listener = caf::actor_cast<validator::peer_listener_actor>(self->current_sender());
  for (const auto& [peer, key] : self->state.connected) {
    tell(self, listener, connected_message(peer, key), 0);
  }
}

void arrived(self_pointer self, const from_peer& what) {
  auto& state = self->state;
  const auto root = what.root();
  const auto peer = root.getPeer();
  switch (root.which()) {
    case schema::FromPeer::CONNECTED:
      state.connected[peer] = array_of<32>(root.getConnected()).value_or(public_key{});
      break;
    case schema::FromPeer::GONE:
      state.connected.erase(peer);
      break;
    case schema::FromPeer::SENT: {
      const auto sent = root.getSent();
      SOMA_ASSERT(max_frame_bytes(sent.getType()), "the mesh takes frames of our types");
      return tell(self, is_about_blobs(sent.getType()) ? state.blob_listener : state.listener, what,
                  sent.getBody().size());
    }
  }
  state.parts->count->connected = static_cast<std::uint32_t>(state.connected.size());
  tell(self, state.listener, what, 0);
  tell(self, state.blob_listener, what, 0);
}

void send(self_pointer self, schema::ToPeers::Reader wanted) {
  const auto& links = self->state.parts->links;
  if (!links) return;
  std::vector<mesh::peer_number> to;
  for (const auto peer : wanted.getTo()) to.push_back(peer);
  if (wanted.getBody().size() != 0) {
    SOMA_ASSERT(max_frame_bytes(wanted.getType()), "a message to peers has a type that peers know");
    links->send(to, wanted.getType(), view_of(wanted.getBody()));
  }
  if (wanted.getBlame().size() == 0) return;
  for (const auto peer : to) links->blame(peer, blame_points);
}

void block_done(self_pointer self, schema::BlockNotice::Reader notice) {
  const auto& parts = *self->state.parts;
  if (notice.getClosesEpoch() && parts.links && parts.members) {
    parts.links->set_members(parts.members());
  }
}

inside_actor::behavior_type run(self_pointer self, const std::shared_ptr<mesh_parts>& parts) {
  name_exceptions(*self);
  self->state.parts = parts;
  self->attach_functor([parts] {
    parts->in->close();    // from here on nothing holds the actor
    parts->links.reset();  // from here on no callback runs
  });
  return {[self](const message<schema::ToPeers>& wanted) { send(self, wanted.root()); },
          [self](const message<schema::HearPeers>& wanted) { hear(self, wanted.root()); },
          [self](const from_peer& what) { arrived(self, what); },
          [self](const message<schema::BlockNotice>& notice) { block_done(self, notice.root()); }};
}

mesh::mesh_callbacks callbacks_into(const std::shared_ptr<inbox>& in) {
  mesh::mesh_callbacks out;
  out.on_connected = [in](mesh::peer_number peer, const public_key& key) {
    in->put(connected_message(peer, key));
  };
  out.on_gone = [in](mesh::peer_number peer, mesh::link_end) {
    in->put(from_peer::build([&](auto m) {
      m.setPeer(peer);
      m.setGone();
    }));
  };
  out.on_frame = [in](mesh::peer_number peer, std::uint16_t type, bytes payload) {
    in->put(from_peer::build([&](auto m) {
      m.setPeer(peer);
      auto sent = m.initSent();
      sent.setType(type);
      sent.setBody(data_of(payload));
    }));
  };
  return out;
}

}  // namespace

expected<mesh_peers, std::string> spawn_mesh_peers(caf::actor_system& system,
                                                   const crypto::key_pair& key,
                                                   mesh_peers_options options) {
  auto with = std::make_shared<mesh_parts>();
  with->in = std::make_shared<inbox>();
  with->count = std::make_shared<mesh_count>();
  with->members = std::move(options.members);
  mesh::mesh_options how;
  how.listen = options.listen;
  how.peers = std::move(options.peers);
  how.limits = options.limits;
  how.seed = options.seed;
  if (with->members) how.members = with->members();
  // By security §3.2 strangers have the same limits. A member of the next epoch is a stranger until
  // the closing block is final at this node, and its first messages must not cost it the
  // connection. Strangers are limited in number and have small quotas instead.
  how.frame_limit = [](std::uint16_t type, bool) { return max_frame_bytes(type); };
  try {
    with->links = std::make_unique<mesh::mesh>(key, std::move(how), callbacks_into(with->in));
  } catch (const std::system_error& error) {
    return make_unexpected(std::string(error.what()));
  }
  mesh_peers out;
  out.port = with->links->port();
  out.count = with->count;
  const auto role = system.spawn(run, with);
  with->in->open(role);
  out.role = role;
  out.watcher = caf::actor_cast<validator::block_watcher_actor>(role);
  return out;
}

}  // namespace soma::peers
