// Merkle trees: over a blob's chunks and over the ledger's rows. Leaves, inner nodes and roots are
// hashed under tags of their own, so none can be taken for another.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "messages/types/bytes.hpp"
#include "messages/types/ids.hpp"

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

/// The state root: a binary tree over 65,536 buckets. A row is in the bucket that the first 16 bits
/// of H("soma.row", key) name; a bucket's hash is over its rows in order of key hash and zero if it
/// has none. The root does not depend on the order in which rows came. Setting a bucket is cheap;
/// root() rehashes the paths of those set since it was last asked.
class bucket_tree {
 public:
  static constexpr std::uint32_t buckets = 65'536;
  static constexpr std::size_t proof_length = 16;

  struct entry {
    hash256 key;    // H("soma.row", key)
    hash256 value;  // H("soma.row-value", value)
    friend auto operator<=>(const entry&, const entry&) = default;
  };
  [[nodiscard]] static entry entry_of(byte_view key, byte_view value);
  [[nodiscard]] static hash256 key_hash(byte_view key);
  [[nodiscard]] static std::uint32_t bucket_of(const hash256& key_hash);
  /// H("soma.bucket", entries). They have to be strictly ascending (asserted); zero for none.
  [[nodiscard]] static hash256 hash_of(std::span<const entry> entries);

  bucket_tree();
  void set(std::uint32_t bucket, const hash256& content);
  [[nodiscard]] const hash256& get(std::uint32_t bucket) const;
  [[nodiscard]] state_root root();
  /// The 16 siblings from the bucket upwards, of the tree as root() last saw it or later.
  [[nodiscard]] std::vector<hash256> proof(std::uint32_t bucket);
  [[nodiscard]] static bool verify(const state_root& root, std::uint32_t bucket,
                                   const hash256& content, std::span<const hash256> proof);

 private:
  std::vector<hash256> nodes_;  // a heap: 1 the top, children of i at 2i and 2i + 1, buckets last
  std::vector<std::uint32_t> dirty_;  // buckets set since the last root
};

}  // namespace soma::crypto
