// Looks after the blobs of a home, a little at a time (security §9.5). What must hold:
//   - A blob is removed only when nothing has needed it for `unneeded_ms`, and when it was put at
//     least that long ago.
//   - Each chunk of each blob is read and hashed again from time to time. A blob with a damaged
//     chunk goes to quarantine, and whoever needs it is told.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "storage/blobs/blob_store.hpp"

namespace soma::blob_keeper {

struct caretaker_options {
  std::uint64_t collect_every_ms = 600'000;
  std::uint64_t unneeded_ms = 24 * 3'600'000;
  std::uint64_t scrub_every_ms = 7 * 24 * 3'600'000;  // from the start of one pass to the next
  std::uint64_t scrub_bytes_per_s = std::uint64_t{4} << 20U;
};

class caretaker {
 public:
  explicit caretaker(std::shared_ptr<blobs::blob_store> disk, caretaker_options options = {});

  struct findings {
    std::vector<blob_id> damaged;  // in quarantine now
    std::vector<blob_id> removed;
    std::uint64_t freed_bytes = 0;
  };
  /// Does what is due. To be called often: it reads at most what may be read since the last call,
  /// and no more than one second's worth. Throws blob_failure.
  [[nodiscard]] findings step(std::uint64_t now_ms,
                              const std::function<bool(const blob_id&)>& is_needed);

 private:
  void collect(std::uint64_t now_ms, const std::function<bool(const blob_id&)>& is_needed,
               findings& found);
  void scrub(std::uint64_t now_ms, findings& found);

  std::shared_ptr<blobs::blob_store> disk_;
  caretaker_options options_;
  std::optional<std::uint64_t> last_ms_, collected_ms_, pass_ms_;
  std::map<blob_id, std::uint64_t> unneeded_since_ms_;
  // The present pass over all blobs: those still to be read, and the one that is being read.
  std::vector<blob_id> to_read_;
  std::optional<blobs::blob_reader> reading_;
  blob_id read_;
  std::uint32_t next_chunk_ = 0;
  std::uint64_t may_read_bytes_ = 0;
};

}  // namespace soma::blob_keeper
