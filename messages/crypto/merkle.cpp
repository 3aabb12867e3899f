#include "messages/crypto/merkle.hpp"

#include <algorithm>
#include <utility>

#include "messages/crypto/hash.hpp"
#include "messages/values/assert.hpp"

namespace soma::crypto {
namespace {

hash256 parent_of(std::string_view tag, const hash256& left, const hash256& right) {
  return tagged_hash(tag).add(left).add(right).finish();
}

hash256 node(const hash256& left, const hash256& right) {
  return parent_of("soma.node", left, right);
}

blob_id root_of(std::uint64_t size_bytes, std::uint32_t chunk_bytes, const hash256& top) {
  return tagged_hash("soma.blob")
      .add_u64(size_bytes)
      .add_u32(chunk_bytes)
      .add(top)
      .finish_as<blob_id>();
}

}  // namespace

hash256 chunk_hash(byte_view chunk) {
  return hash("soma.chunk", chunk);
}

merkle_tree::merkle_tree(std::vector<hash256> leaves) {
  if (leaves.empty()) leaves.emplace_back();
  levels_.push_back(std::move(leaves));
  while (levels_.back().size() > 1) {
    const auto& below = levels_.back();
    std::vector<hash256> level;
    level.reserve((below.size() + 1) / 2);
    for (std::size_t i = 0; i + 1 < below.size(); i += 2)
      level.push_back(node(below[i], below[i + 1]));
    if (below.size() % 2 != 0) level.push_back(below.back());
    levels_.push_back(std::move(level));
  }
}

std::vector<hash256> merkle_tree::proof(std::uint64_t index) const {
  SOMA_ASSERT(index < levels_.front().size(), "a leaf of the tree");
  std::vector<hash256> siblings;
  for (const auto& level : levels_) {
    if ((index ^ 1) < level.size()) siblings.push_back(level[index ^ 1]);
    index /= 2;
  }
  return siblings;
}

blob_id blob_root(std::uint64_t size_bytes, std::span<const hash256> chunk_hashes,
                  std::uint32_t chunk_bytes) {
  SOMA_ASSERT(chunk_bytes > 0 && chunk_hashes.size() == chunk_count(size_bytes, chunk_bytes),
              "one hash for each chunk");
  return root_of(size_bytes, chunk_bytes,
                 merkle_tree({chunk_hashes.begin(), chunk_hashes.end()}).top());
}

blob_id blob_id_of(byte_view content, std::uint32_t chunk_bytes) {
  SOMA_ASSERT(chunk_bytes > 0, "chunks of some size");
  std::vector<hash256> hashes;
  for (std::size_t at = 0; at < content.size(); at += chunk_bytes) {
    hashes.push_back(
        chunk_hash(content.subspan(at, std::min<std::size_t>(chunk_bytes, content.size() - at))));
  }
  return blob_root(content.size(), hashes, chunk_bytes);
}

bool verify_chunk(const blob_id& root, std::uint64_t size_bytes, std::uint64_t index,
                  byte_view chunk, std::span<const hash256> proof, std::uint32_t chunk_bytes) {
  if (chunk_bytes == 0) return false;
  std::uint64_t width = chunk_count(size_bytes, chunk_bytes);
  if (index >= width) return false;
  const std::uint64_t rest = size_bytes - index * chunk_bytes;
  if (chunk.size() != std::min<std::uint64_t>(rest, chunk_bytes)) return false;
  hash256 at = chunk_hash(chunk);
  for (; width > 1; width = width / 2 + width % 2, index /= 2) {
    if ((index ^ 1) >= width) continue;  // the node was promoted
    if (proof.empty()) return false;
    at = index % 2 == 0 ? node(at, proof.front()) : node(proof.front(), at);
    proof = proof.subspan(1);
  }
  return proof.empty() && root_of(size_bytes, chunk_bytes, at) == root;
}

}  // namespace soma::crypto
