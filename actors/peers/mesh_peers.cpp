#include "actors/peers/mesh_peers.hpp"

#include <caf/actor_system.hpp>
#include <map>
#include <mutex>
#include <system_error>

#include "messages/crypto/codec_agreement.hpp"
#include "messages/schema/agreement.capnp.h"
#include "messages/types/fields.hpp"

namespace soma::actors {
namespace {

using from_peer = message<schema::FromPeer>;

/// With what the mesh's thread says to it.
using inside_actor =
    peers_actor::extend<caf::reacts_to<from_peer>, caf::reacts_to<message<schema::BlockNotice>>>;

/// As many points as end a connection at once: only what no honest validator does is blamed.
constexpr std::uint32_t blame_points = 100;

/// From the mesh's thread to the actor, which comes later and goes earlier.
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

struct parts {
  std::shared_ptr<inbox> in;
  std::unique_ptr<mesh> links;
  std::shared_ptr<mesh_count> count;
  std::function<std::vector<public_key>()> members;
};

class logic {
 public:
  logic(inside_actor::pointer self, std::shared_ptr<parts> with) : self_(self), with_(with) {
    self_->attach_functor([with] {
      with->in->close();    // nobody keeps the actor any more …
      with->links.reset();  // … and no callback runs after this
    });
  }

  void hear() {
    listener_ = caf::actor_cast<validator_actor>(self_->current_sender());
    for (const auto& [peer, key] : connected_) tell(connected_message(peer, key), 0);
  }

  void arrived(const from_peer& what) {
    const auto root = what.root();
    const auto peer = root.getPeer();
    switch (root.which()) {
      case schema::FromPeer::CONNECTED:
        connected_[peer] = array_of<32>(root.getConnected()).value_or(public_key{});
        break;
      case schema::FromPeer::GONE:
        connected_.erase(peer);
        break;
      case schema::FromPeer::BODY:
        return tell(what, root.getBody().size());
    }
    with_->count->connected = static_cast<std::uint32_t>(connected_.size());
    tell(what, 0);
  }

  void send(schema::ToPeers::Reader wanted) {
    if (!with_->links) return;
    std::vector<peer_number> to;
    for (const auto peer : wanted.getTo()) to.push_back(peer);
    if (wanted.getBody().size() != 0) {
      if (const auto type = type_of(view_of(wanted.getBody())))
        with_->links->send(to, *type, view_of(wanted.getBody()));
    }
    if (wanted.getBlame().size() == 0) return;
    for (const auto peer : to) with_->links->blame(peer, blame_points);
  }

  void block_done(schema::BlockNotice::Reader notice) {
    if (notice.getClosesEpoch() && with_->links && with_->members)
      with_->links->set_members(with_->members());
  }

  static from_peer connected_message(peer_number peer, const public_key& key) {
    return from_peer::build([&](auto out) {
      out.setPeer(peer);
      out.setConnected(data_of(key));
    });
  }

 private:
  static std::optional<std::uint16_t> type_of(byte_view body) {
    const auto parsed = message<schema::PeerMessage>::parse(body);
    if (!parsed) return std::nullopt;
    return static_cast<std::uint16_t>(static_cast<unsigned>(parsed->root().which()) + 1);
  }

  void tell(const from_peer& what, std::size_t size) {
    const auto peer = what.root().getPeer();
    if (!listener_) return give_back(peer, size);
    self_->request(listener_, caf::infinite, what)
        .then([this, peer, size](const message<schema::Ack>&) { give_back(peer, size); },
              [this, peer, size](const caf::error&) { give_back(peer, size); });
  }
  void give_back(peer_number peer, std::size_t size) {
    if (size != 0 && with_->links) with_->links->consumed(peer, size);
  }

  inside_actor::pointer self_;
  std::shared_ptr<parts> with_;
  validator_actor listener_;
  std::map<peer_number, public_key> connected_;
};

inside_actor::behavior_type run(inside_actor::pointer self, const std::shared_ptr<parts>& with) {
  auto inside = std::make_shared<logic>(self, with);
  return {
      [inside](const message<schema::ToPeers>& wanted) { inside->send(wanted.root()); },
      [inside](const message<schema::HearPeers>&) { inside->hear(); },
      [inside](const from_peer& what) { inside->arrived(what); },
      [inside](const message<schema::BlockNotice>& notice) { inside->block_done(notice.root()); }};
}

/// The same for strangers: a member of the epoch that is about to begin is one until the closing
/// block is final here, and what it says first must not cost it the connection. Strangers are few
/// and have small quotas instead.
std::optional<std::uint32_t> limit_of(std::uint16_t type) {
  if (type < 1 || type > peer_message_kinds) return std::nullopt;
  return static_cast<std::uint32_t>(max_peer_message_bytes(type - 1U));
}

mesh_callbacks callbacks_into(const std::shared_ptr<inbox>& in) {
  mesh_callbacks out;
  out.on_connected = [in](peer_number peer, const public_key& key) {
    in->put(logic::connected_message(peer, key));
  };
  out.on_gone = [in](peer_number peer, link_end) {
    in->put(from_peer::build([&](auto m) {
      m.setPeer(peer);
      m.setGone();
    }));
  };
  out.on_frame = [in](peer_number peer, std::uint16_t, bytes payload) {
    in->put(from_peer::build([&](auto m) {
      m.setPeer(peer);
      m.setBody(data_of(payload));
    }));
  };
  return out;
}

}  // namespace

expected<mesh_peers, std::string> spawn_mesh_peers(caf::actor_system& system,
                                                   const crypto::key_pair& key,
                                                   mesh_peers_options options) {
  auto with = std::make_shared<parts>();
  with->in = std::make_shared<inbox>();
  with->count = std::make_shared<mesh_count>();
  with->members = std::move(options.members);
  mesh_options how;
  how.listen = options.listen;
  how.peers = std::move(options.peers);
  how.limits = options.limits;
  how.seed = options.seed;
  if (with->members) how.members = with->members();
  how.frame_limit = [](std::uint16_t type, bool) { return limit_of(type); };
  try {
    with->links = std::make_unique<mesh>(key, std::move(how), callbacks_into(with->in));
  } catch (const std::system_error& error) {
    return make_unexpected(std::string(error.what()));
  }
  mesh_peers out;
  out.port = with->links->port();
  out.count = with->count;
  const auto role = system.spawn(run, with);
  with->in->open(role);
  out.role = role;
  out.watcher = caf::actor_cast<block_watcher_actor>(role);
  return out;
}

}  // namespace soma::actors
