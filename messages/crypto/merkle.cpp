#include "messages/crypto/merkle.hpp"

#include <algorithm>
#include <utility>

#include "messages/crypto/hash.hpp"
#include "messages/types/assert.hpp"

namespace soma::crypto {
namespace {

hash256 parent_of(std::string_view tag, const hash256& left, const hash256& right) {
  return tagged_hash(tag).add(left).add(right).finish();
}

hash256 node(const hash256& left, const hash256& right) {
  return parent_of("soma.node", left, right);
}

/// Under a tag of its own; nothing below stays nothing, so that an empty tree costs no hashing.
hash256 state_node(const hash256& left, const hash256& right) {
  if (left.is_zero() && right.is_zero()) return {};
  return parent_of("soma.state-node", left, right);
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
    if ((index ^ 1) >= width) continue;  // promoted
    if (proof.empty()) return false;
    at = index % 2 == 0 ? node(at, proof.front()) : node(proof.front(), at);
    proof = proof.subspan(1);
  }
  return proof.empty() && root_of(size_bytes, chunk_bytes, at) == root;
}

hash256 bucket_tree::key_hash(byte_view key) {
  return hash("soma.row", key);
}

bucket_tree::entry bucket_tree::entry_of(byte_view key, byte_view value) {
  return {key_hash(key), hash("soma.row-value", value)};
}

std::uint32_t bucket_tree::bucket_of(const hash256& key_hash) {
  return static_cast<std::uint32_t>(key_hash.value[0] << 8 | key_hash.value[1]);
}

hash256 bucket_tree::hash_of(std::span<const entry> entries) {
  if (entries.empty()) return {};
  tagged_hash content("soma.bucket");
  const entry* before = nullptr;
  for (const auto& row : entries) {
    SOMA_ASSERT(before == nullptr || before->key < row.key, "rows in order of key hash, each once");
    content.add(row.key).add(row.value);
    before = &row;
  }
  return content.finish();
}

bucket_tree::bucket_tree() : nodes_(2 * buckets) {}

void bucket_tree::set(std::uint32_t bucket, const hash256& content) {
  SOMA_ASSERT(bucket < buckets, "a bucket of the tree");
  if (nodes_[buckets + bucket] == content) return;
  nodes_[buckets + bucket] = content;
  dirty_.push_back(bucket);
}

const hash256& bucket_tree::get(std::uint32_t bucket) const {
  SOMA_ASSERT(bucket < buckets, "a bucket of the tree");
  return nodes_[buckets + bucket];
}

state_root bucket_tree::root() {
  std::vector<std::uint32_t> level;
  level.reserve(dirty_.size());
  for (const auto bucket : dirty_) level.push_back(buckets + bucket);
  std::sort(level.begin(), level.end());
  while (!level.empty() && level.front() > 1) {
    for (auto& index : level) index /= 2;
    level.erase(std::unique(level.begin(), level.end()), level.end());
    for (const auto index : level) {
      nodes_[index] = state_node(nodes_[2 * index], nodes_[2 * index + 1]);
    }
  }
  dirty_.clear();
  return hash("soma.state", nodes_[1].view()).as<state_tag>();
}

std::vector<hash256> bucket_tree::proof(std::uint32_t bucket) {
  SOMA_ASSERT(bucket < buckets, "a bucket of the tree");
  (void)root();
  std::vector<hash256> siblings;
  for (std::uint32_t index = buckets + bucket; index > 1; index /= 2) {
    siblings.push_back(nodes_[index ^ 1]);
  }
  return siblings;
}

bool bucket_tree::verify(const state_root& root, std::uint32_t bucket, const hash256& content,
                         std::span<const hash256> proof) {
  if (bucket >= buckets || proof.size() != proof_length) return false;
  hash256 at = content;
  for (const auto& sibling : proof) {
    at = bucket % 2 == 0 ? state_node(at, sibling) : state_node(sibling, at);
    bucket /= 2;
  }
  return hash("soma.state", at.view()) == root.as<hash_tag>();
}

}  // namespace soma::crypto
