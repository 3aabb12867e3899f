// Holds an audit back until the blobs that it reads are in the store of this home, or until they
// have been waited for long enough. An audit that waits here takes no place among those that run.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "actors/blob_keeper/blob_keeper_actor.hpp"
#include "actors/validator/validator_actor.hpp"

namespace soma::validator {

class blob_gate {
 public:
  struct wanted {
    blob_id blob;
    std::uint64_t size_bytes = 0;
  };
  /// Without a keeper, nothing is waited for.
  blob_gate(validator_actor::pointer self, blob_keeper::blob_keeper_actor keeper,
            std::uint32_t within_ms)
      : self_(self), keeper_(std::move(keeper)), within_ms_(within_ms) {}

  /// Calls `then` once, at the earliest when the function has returned, with the blobs that are
  /// proven to have another size than the one that is wanted. False when nothing is to be waited
  /// for: then `then` is not called.
  [[nodiscard]] bool wait(std::span<const wanted> blobs,
                          std::function<void(const std::vector<blob_id>& other_size)> then) const;

 private:
  validator_actor::pointer self_;
  blob_keeper::blob_keeper_actor keeper_;
  std::uint32_t within_ms_;
};

}  // namespace soma::validator
