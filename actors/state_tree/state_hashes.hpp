// What the state root is, as a function of the rows alone: protocol §11.2 and §11.3. A binary tree
// over the bits of the key hashes, the most significant bit first:
//
//   key hash     H("soma.row-key", key)
//   value hash   H("soma.row", value)
//   leaf         H("soma.state-leaf", (key hash || value hash) of its rows, ascending by key hash)
//   branch       H("soma.state-node", left || right)
//   root         H("soma.state", top || rows u64 || bytes u64), little endian
//
// The 65,536 subtrees below the first 16 bits, the buckets, are always there. Below them a subtree
// is a leaf if it has at most 32 rows and a branch otherwise. So keys that are made to fall into
// one bucket make the tree deeper; they do not make a list that is hashed longer. Leaves, branches
// and the root have different tags, so that one cannot pass for another.
//
// The root binds how many rows there are and how many bytes they have (keys and values together),
// so that a node that copies a ledger knows what to expect before it allocates memory, and can
// count what it received. The totals stand in the root and not in a row with a reserved key: such a
// row would count itself, would change with every block, and would be the one row that no
// transaction wrote.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include "messages/crypto/hash.hpp"
#include "messages/values/assert.hpp"
#include "messages/values/proofs.hpp"

namespace soma::state_tree {

inline constexpr unsigned bucket_depth = 16;
inline constexpr std::size_t bucket_count = std::size_t{1} << bucket_depth;

[[nodiscard]] inline hash256 key_hash(byte_view key) {
  return crypto::hash("soma.row-key", key);
}
[[nodiscard]] inline hash256 value_hash(byte_view value) {
  return crypto::hash("soma.row", value);
}

/// Whether the key lies to the right of a branch at `depth`: bit number `depth` of its hash, of
/// 256.
[[nodiscard]] inline bool lies_right(const hash256& key, unsigned depth) {
  return (key.value[depth / 8] >> (7 - depth % 8) & 1) != 0;
}
/// The first `depth` bits as a number; depth is 1 to 64.
[[nodiscard]] std::uint64_t prefix_of(const hash256& key, unsigned depth);

/// The hash of a leaf of these rows, which have members `key` and `value`, ascend, and are at most
/// max_leaf_rows.
template <class Row>
[[nodiscard]] hash256 leaf_hash(std::span<const Row> rows) {
  SOMA_ASSERT(rows.size() <= max_leaf_rows, "a leaf's rows");
  // All of it is hashed in one call, since many small parts cost more.
  std::array<std::uint8_t, max_leaf_rows * 64> all;
  auto* to = all.data();
  for (const auto& row : rows) {
    to = std::copy_n(row.key.value.data(), 32, to);
    to = std::copy_n(row.value.value.data(), 32, to);
  }
  return crypto::hash("soma.state-leaf", byte_view(all).first(rows.size() * 64));
}
[[nodiscard]] const hash256& empty_leaf_hash();
[[nodiscard]] hash256 branch_hash(const hash256& left, const hash256& right);
[[nodiscard]] state_root root_of(const hash256& top, const state_totals& totals);

/// A range consists of buckets or of one subtree below a bucket, with a prefix of at most 63 bits.
inline constexpr unsigned deepest_range = 63;
[[nodiscard]] bool is_range(const state_range& range);

/// The hash of the subtree that these rows make at `depth` >= 16. They ascend and share their first
/// `depth` bits.
[[nodiscard]] hash256 subtree_hash(std::span<const state_pair> rows, unsigned depth);

}  // namespace soma::state_tree
