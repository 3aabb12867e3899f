// The role that keeps the connections to the other validators: TLS between processes in production,
// a simulated network in tests and simulations. What must hold:
//   - The last sender of HearPeers, a validator_actor, gets a FromPeer for every connection that
//     opens or closes and for every message; messages of one peer come in order. Messages may be
//     lost, doubled or late. They are never altered, and the named peer is always the real sender.
//   - FromPeer is a request. Its Ack frees the bytes that the message took from
//     max_outstanding_bytes. What a peer sends beyond that limit waits outside the validator.
//   - ToPeers is never answered and never waits. Messages that a slow peer does not take are
//     dropped.
#pragma once

#include "actors/interface/actor_interface.hpp"

namespace soma::validator {

using peers_actor = caf::typed_actor<caf::reacts_to<message<schema::ToPeers>>,
                                     caf::reacts_to<message<schema::HearPeers>>>;

/// Limit on the bytes of one peer's messages that a validator has been given and has not answered.
/// One message more may be on its way.
inline constexpr std::size_t max_outstanding_bytes = std::size_t{2} << 20;

}  // namespace soma::validator
