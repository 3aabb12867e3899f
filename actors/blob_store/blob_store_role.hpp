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

/// The most puts that may be under way at the same time. For one more, the one that was used least
/// lately is closed: its next chunk is refused as `unknown`, and whoever announces the blob again
/// goes on where it was.
inline constexpr std::size_t max_open_puts = 64;

template <class Open>
struct used_lately {
  Open of;
  std::uint64_t used = 0;  // counts uses of anything; the least is the oldest
};

struct blob_store_role_state {
  std::map<blob_id, used_lately<blobs::blob_writer>> writers;
  std::map<blob_id, used_lately<blobs::blob_reader>> readers;  // a few that were read last
  std::uint64_t uses = 0;
};

blob_store_actor::behavior_type blob_store_role(
    blob_store_actor::stateful_pointer<blob_store_role_state> self, blob_store_ports ports);

}  // namespace soma::blob_store
