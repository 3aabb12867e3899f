// Merkle trees over a blob's chunks. Leaves, inner nodes and roots are hashed under different tags,
// so that one cannot pass for another.
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
/// ceil(size / chunk): the number of chunks of a blob, 0 if the blob is empty.
[[nodiscard]] constexpr std::uint64_t chunk_count(std::uint64_t size_bytes,
                                                  std::uint32_t chunk_bytes = blob_chunk_bytes) {
  return size_bytes / chunk_bytes + (size_bytes % chunk_bytes != 0);
}

/// Nodes are hashed in pairs, level by level; an odd node at the end of a level is promoted
/// unchanged. A tree without leaves has the zero hash.
class merkle_tree {
 public:
  explicit merkle_tree(std::vector<hash256> leaves);
  [[nodiscard]] const hash256& top() const { return levels_.back().front(); }
  /// The siblings on the way from leaf `index` to the top, without the levels in which the node was
  /// promoted.
  [[nodiscard]] std::vector<hash256> proof(std::uint64_t index) const;

 private:
  std::vector<std::vector<hash256>> levels_;
};

/// H("soma.blob", size || chunk size || top): the root binds the size of the blob and the size of
/// its chunks.
[[nodiscard]] blob_id blob_root(std::uint64_t size_bytes, std::span<const hash256> chunk_hashes,
                                std::uint32_t chunk_bytes = blob_chunk_bytes);
/// The id of a blob that is in memory as a whole.
[[nodiscard]] blob_id blob_id_of(byte_view content, std::uint32_t chunk_bytes = blob_chunk_bytes);
/// Checks that `chunk` is number `index` of the blob: its hash, its exact length and its place.
/// There are at most 64 siblings.
[[nodiscard]] bool verify_chunk(const blob_id& root, std::uint64_t size_bytes, std::uint64_t index,
                                byte_view chunk, std::span<const hash256> proof,
                                std::uint32_t chunk_bytes = blob_chunk_bytes);

}  // namespace soma::crypto
