// Merkle trees over a blob's chunks. Leaves, inner nodes and roots are hashed under tags of their
// own, so none can be taken for another.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "messages/values/bytes.hpp"
#include "messages/values/ids.hpp"

namespace soma::crypto {

inline constexpr std::uint32_t blob_chunk_bytes = std::uint32_t{1} << 20;

/// H("soma.chunk", chunk).
[[nodiscard]] hash256 chunk_hash(byte_view chunk);
/// ceil(size / chunk): how many chunks a blob has. None if it is empty.
[[nodiscard]] constexpr std::uint64_t chunk_count(std::uint64_t size_bytes,
                                                  std::uint32_t chunk_bytes = blob_chunk_bytes) {
  return size_bytes / chunk_bytes + (size_bytes % chunk_bytes != 0);
}

/// Pairs are hashed upwards; an odd node at the end of a level is promoted as it is. No leaves: the
/// zero hash.
class merkle_tree {
 public:
  explicit merkle_tree(std::vector<hash256> leaves);
  [[nodiscard]] const hash256& top() const { return levels_.back().front(); }
  /// The siblings on the way from leaf `index` to the top, promoted levels left out.
  [[nodiscard]] std::vector<hash256> proof(std::uint64_t index) const;

 private:
  std::vector<std::vector<hash256>> levels_;
};

/// H("soma.blob", size || chunk size || top): the root binds how long the blob is and how it was
/// cut.
[[nodiscard]] blob_id blob_root(std::uint64_t size_bytes, std::span<const hash256> chunk_hashes,
                                std::uint32_t chunk_bytes = blob_chunk_bytes);
/// The id of a blob that is at hand as a whole.
[[nodiscard]] blob_id blob_id_of(byte_view content, std::uint32_t chunk_bytes = blob_chunk_bytes);
/// Whether `chunk` is number `index` of the blob: its hash, its exact length, its place, with at
/// most 64 siblings.
[[nodiscard]] bool verify_chunk(const blob_id& root, std::uint64_t size_bytes, std::uint64_t index,
                                byte_view chunk, std::span<const hash256> proof,
                                std::uint32_t chunk_bytes = blob_chunk_bytes);

}  // namespace soma::crypto
