// Proofs about the ledger's rows against a state root, as plain values. What they mean and how they
// are checked: actors/state_tree/state_proof.hpp. Their bytes: messages/codec/codec_proofs.hpp.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "messages/values/blocks.hpp"
#include "messages/values/rows.hpp"

namespace soma::inline values {

/// The number of rows that a leaf of the state tree may hold.
inline constexpr std::size_t max_leaf_rows = 32;
/// The number of levels from a leaf to the top: at most one for each bit of a key's hash.
inline constexpr std::size_t max_state_depth = 256;
/// A chunk has at most two siblings in each level, and levels are counted in a 64-bit prefix.
inline constexpr std::size_t max_chunk_siblings = 128;
inline constexpr std::size_t max_proven_key_bytes = 256;
inline constexpr std::size_t max_proven_value_bytes = std::size_t{1} << 20;

/// A row in the tree.
struct state_pair {
  hash256 key;    // H("soma.row-key", key)
  hash256 value;  // H("soma.row", value)
  friend bool operator==(const state_pair&, const state_pair&) = default;
};

/// How many rows a ledger has, and the sum of their bytes, keys and values together. The state root
/// binds both.
struct state_totals {
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  friend bool operator==(const state_totals&, const state_totals&) = default;
};

/// Proves that a row is there with its value, or that no row has its key.
struct state_proof {
  // All rows of the leaf in which the key lies or would lie, ascending.
  std::vector<state_pair> leaf;
  std::vector<hash256> siblings;  // from the leaf to the top
  state_totals totals;
  friend bool operator==(const state_proof&, const state_proof&) = default;
};

/// A range of key hashes, given by their prefixes of `depth` bits: first to end - 1. It holds
/// either buckets in order (depth 16) or one subtree of a bucket that alone would be too large.
struct state_range {
  std::uint32_t depth = 16;  // 16 .. 63
  std::uint64_t first = 0;
  std::uint64_t end = 0;
  friend bool operator==(const state_range&, const state_range&) = default;
};

/// Proves that the rows of a ledger within a range are exactly those shown with the proof.
struct chunk_proof {
  std::vector<hash256> siblings;  // level by level to the top; the left one first in each level
  state_totals totals;            // of the whole ledger
  friend bool operator==(const chunk_proof&, const chunk_proof&) = default;
};

/// A row, or its absence, at the height of a block. This is all that a program without the ledger
/// needs, if it trusts the header.
struct proven_row {
  block_header header;
  row_key key;
  std::optional<bytes> value;  // absent: there is no such row
  state_proof proof;
  friend bool operator==(const proven_row&, const proven_row&) = default;
};

}  // namespace soma::inline values
