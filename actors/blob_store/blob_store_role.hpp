// The blob store as a role: messages read and write the store on disk. It is spawned detached,
// since it waits for the disk.
#pragma once

#include <map>
#include <memory>

#include "actors/blob_store/blob_store_actor.hpp"
#include "storage/blobs/blob_store.hpp"

namespace soma::blob_store {

struct blob_store_ports {
  std::shared_ptr<blobs::blob_store> disk;
};

/// The most puts that may be under way at the same time. One more is refused.
inline constexpr std::size_t max_open_puts = 64;

struct blob_store_role_state {
  std::map<blob_id, blobs::blob_writer> writers;
  std::map<blob_id, blobs::blob_reader> readers;  // a few that were read last
};

blob_store_actor::behavior_type blob_store_role(
    blob_store_actor::stateful_pointer<blob_store_role_state> self, blob_store_ports ports);

}  // namespace soma::blob_store
