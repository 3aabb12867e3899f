// The role that gets blobs from the homes of other validators into the store of this home, gives
// them to others, and looks after those that are here.
#pragma once

#include "actors/interface/actor_interface.hpp"

namespace soma::blob_keeper {

/// It hears of peers (actors/validator/peers_actor.hpp) and watches blocks.
using blob_keeper_actor = caf::typed_actor<
    caf::replies_to<message<schema::FetchBlobs>>::with<message<schema::FetchedBlobs>>,
    caf::replies_to<message<schema::GetHolders>>::with<message<schema::Holders>>,
    caf::replies_to<message<schema::FromPeer>>::with<message<schema::Ack>>,
    caf::reacts_to<message<schema::BlockNotice>>>;

}  // namespace soma::blob_keeper
