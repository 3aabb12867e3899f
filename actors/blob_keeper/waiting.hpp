// Waits for blobs to come into the store of this home, for any actor that has a handle of the
// keeper.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "actors/blob_keeper/blob_keeper_actor.hpp"
#include "messages/codec/model_entry.hpp"

namespace soma::blob_keeper {

struct awaited_blob {
  blob_id blob;
  std::uint64_t size_bytes = 0;
};

/// What the wait has shown about blobs that did not come.
struct wait_findings {
  std::vector<blob_id> other_size;  // proven to have another size than the one that is wanted
  std::vector<blob_id> no_room;     // a peer has it, but the disk of this home did not take it
};

/// Calls `then` once, in the actor's own context and after this function has returned: when all
/// blobs are here that can come, or when they have been waited for so long. Returns false when
/// nothing is to be waited for: there are no blobs or no keeper. Then `then` is not called.
template <class Self>
[[nodiscard]] bool wait_for_blobs(Self self, const blob_keeper_actor& keeper,
                                  std::span<const awaited_blob> blobs, std::uint32_t within_ms,
                                  std::function<void(const wait_findings&)> then) {
  if (!keeper || blobs.empty()) return false;
  auto request = message<schema::FetchBlobs>::build([&](auto out) {
    auto list = out.initBlobs(static_cast<unsigned>(blobs.size()));
    for (unsigned i = 0; i < blobs.size(); ++i) {
      list[i].setBlob(data_of(blobs[i].blob));
      list[i].setSizeBytes(blobs[i].size_bytes);
    }
    out.setWithinMs(within_ms);
  });
  self->request(keeper, caf::infinite, std::move(request))
      .then(
          [then](const message<schema::FetchedBlobs>& fetched) {
            wait_findings found;
            for (const auto& blob : fetched.root().getOtherSize()) {
              found.other_size.push_back(id_or_zero<blob_id>(blob));
            }
            for (const auto& blob : fetched.root().getNoRoom()) {
              found.no_room.push_back(id_or_zero<blob_id>(blob));
            }
            then(found);
          },
          // The keeper is gone. Its supervisor starts the roles that use it again, too.
          [then](const caf::error&) { then({}); });
  return true;
}

}  // namespace soma::blob_keeper
