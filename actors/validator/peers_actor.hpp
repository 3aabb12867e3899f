// The role that keeps the connections to the other validators: TLS between processes in production,
// a simulated network in a world. What must hold:
//   - The last sender of HearPeers, a validator_actor, hears by FromPeer of every connection that
//     comes and goes and of every message, those of one peer in order. Messages may be lost,
//     doubled or late; they are never altered, and never come from another peer than they say.
//   - FromPeer is a request; its Ack gives back the room that the message took. What a peer sends
//     beyond that room waits outside.
//   - ToPeers is never answered and never waits. What a slow peer does not take is dropped.
#pragma once

#include "actors/interface/actor_interface.hpp"

namespace soma::validator {

using peers_actor = caf::typed_actor<caf::reacts_to<message<schema::ToPeers>>,
                                     caf::reacts_to<message<schema::HearPeers>>>;

/// Bytes of one peer that a validator has been told of and has not dealt with; one message more may
/// be on its way.
inline constexpr std::size_t max_outstanding_bytes = std::size_t{2} << 20;

}  // namespace soma::validator
