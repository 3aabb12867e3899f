// The role that keeps the connections to the other validators: TLS between processes in production,
// a simulated network in tests and simulations. What must hold:
//   - Two roles hear of the peers: the last sender of HearPeers{ofBlobs} and the last sender of the
//     other HearPeers. Each gets a FromPeer for every connection that opens or closes. Messages
//     about blobs go to the first one, all others to the second one; messages of one peer come to
//     each in order. Messages may be lost, doubled or late. They are never altered, and the named
//     peer is always the real sender.
//   - FromPeer is a request. Its Ack frees the bytes that the message took from
//     max_outstanding_bytes. What a peer sends beyond that limit waits outside the validator.
//   - ToPeers is never answered and never waits. Messages that a slow peer does not take are
//     dropped.
#pragma once

#include "actors/interface/actor_interface.hpp"

namespace soma::validator {

using peers_actor = caf::typed_actor<caf::reacts_to<message<schema::ToPeers>>,
                                     caf::reacts_to<message<schema::HearPeers>>>;

/// A role that hears of the peers.
using peer_listener_actor =
    caf::typed_actor<caf::replies_to<message<schema::FromPeer>>::with<message<schema::Ack>>>;

/// Limit on the bytes of one peer's messages that its listeners have been given and not answered.
/// One message more may be on its way.
inline constexpr std::size_t max_outstanding_bytes = std::size_t{2} << 20;

}  // namespace soma::validator
