// Stores blobs as chunks that are addressed by their content. Every chunk is verified before it is
// stored and before it is given out.
#pragma once

#include "actors/interface/actor_interface.hpp"

namespace soma::blob_store {

using blob_store_actor = caf::typed_actor<
    caf::replies_to<message<schema::PutBlob>>::with<message<schema::PutProgress>>,
    caf::replies_to<message<schema::BeginPut>>::with<message<schema::PutProgress>>,
    caf::replies_to<message<schema::PutChunk>>::with<message<schema::PutProgress>>,
    caf::replies_to<message<schema::GetChunk>>::with<message<schema::Chunk>>,
    caf::replies_to<message<schema::GetBlob>>::with<message<schema::BlobDescription>>>;

}  // namespace soma::blob_store
