// Content-addressed chunks: put, get, have. Nothing is stored or handed out unverified.
#pragma once

#include "actors/interface/actor_interface.hpp"

namespace soma::blob_store {

using blob_store_actor =
    caf::typed_actor<caf::replies_to<message<schema::PutBlob>>::with<message<schema::PutProgress>>,
                     caf::replies_to<message<schema::BeginPut>>::with<message<schema::PutProgress>>,
                     caf::replies_to<message<schema::PutChunk>>::with<message<schema::PutProgress>>,
                     caf::replies_to<message<schema::GetChunk>>::with<message<schema::Chunk>>>;

}  // namespace soma::blob_store
