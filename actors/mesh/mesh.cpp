#include "actors/mesh/mesh.hpp"

#include <boost/asio/post.hpp>
#include <utility>

#include "actors/mesh/mesh_core.hpp"
#include "messages/values/assert.hpp"

namespace soma::mesh {

mesh::mesh(const crypto::key_pair& key, mesh_options options, mesh_callbacks callbacks)
    : core_(std::make_unique<core>(key, std::move(options), std::move(callbacks))) {}

mesh::~mesh() = default;

std::uint16_t mesh::port() const {
  return core_->port();
}

void mesh::send(std::vector<peer_number> to, std::uint16_t type, byte_view payload) {
  SOMA_ASSERT(type != keep_alive_type, "type 0 is the mesh's own");
  asio::post(core_->io(), [core = core_.get(), to = std::move(to),
                           framed = std::make_shared<const bytes>(make_frame(type, payload))] {
    core->send(to, framed);
  });
}

void mesh::consumed(peer_number peer, std::size_t payload_bytes) {
  asio::post(core_->io(),
             [core = core_.get(), peer, payload_bytes] { core->consumed(peer, payload_bytes); });
}

void mesh::blame(peer_number peer, std::uint32_t points) {
  asio::post(core_->io(), [core = core_.get(), peer, points] { core->blame(peer, points); });
}

void mesh::set_members(std::vector<public_key> members) {
  asio::post(core_->io(), [core = core_.get(), members = std::move(members)]() mutable {
    core->set_members(std::move(members));
  });
}

void mesh::set_peers(std::vector<mesh_peer> peers) {
  asio::post(core_->io(), [core = core_.get(), peers = std::move(peers)]() mutable {
    core->set_peers(std::move(peers));
  });
}

std::string_view to_text(link_end why) {
  switch (why) {
    case link_end::closed_by_peer:
      return "closed by the peer";
    case link_end::unreachable:
      return "no connection";
    case link_end::handshake_late:
      return "the handshake took too long";
    case link_end::handshake_wrong:
      return "not our kind of TLS 1.3";
    case link_end::wrong_key:
      return "somebody else answers there";
    case link_end::own_key:
      return "it has this node's key";
    case link_end::replaced:
      return "the pair has another connection";
    case link_end::frame_wrong:
      return "a frame was refused";
    case link_end::frame_late:
      return "a frame took too long";
    case link_end::idle:
      return "it went silent";
    case link_end::not_reading:
      return "it does not read";
    case link_end::blamed:
      return "misbehaved";
    case link_end::refused:
      return "refused for earlier misbehaviour";
    case link_end::too_many:
      return "too many strangers";
    case link_end::closed_here:
      return "closed here";
  }
  return "unknown end";
}

}  // namespace soma::mesh
