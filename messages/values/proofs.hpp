// Proofs about the ledger's rows against a state root, as plain values. What they mean and how they
// are checked: actors/state_tree/state_proof.hpp. Their bytes: messages/codec/codec_proofs.hpp.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "messages/values/blocks.hpp"
#include "messages/values/rows.hpp"

namespace soma::inline values {

/// What a leaf of the state tree may hold.
inline constexpr std::size_t max_leaf_rows = 32;
/// Levels from a leaf to the top: one for each bit of a key's hash at most.
inline constexpr std::size_t max_state_depth = 256;
/// A chunk has two siblings a level at most, and levels are counted in a 64-bit prefix.
inline constexpr std::size_t max_chunk_siblings = 128;
inline constexpr std::size_t max_proven_key_bytes = 256;
inline constexpr std::size_t max_proven_value_bytes = std::size_t{1} << 20;

/// A row in the tree.
struct state_pair {
  hash256 key;    // H("soma.row-key", key)
  hash256 value;  // H("soma.row", value)
  friend bool operator==(const state_pair&, const state_pair&) = default;
};

/// How many rows a ledger has and their bytes, keys and values together. Bound in the state root.
struct state_totals {
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  friend bool operator==(const state_totals&, const state_totals&) = default;
};

/// That a row is there with its value, or that no row has its key.
struct state_proof {
  std::vector<state_pair> leaf;   // all rows of the leaf where the key lies or would lie, ascending
  std::vector<hash256> siblings;  // from the leaf to the top
  state_totals totals;
  friend bool operator==(const state_proof&, const state_proof&) = default;
};

/// A part of the key hashes, as prefixes of `depth` bits: first .. end - 1. Either buckets in order
/// (depth 16), or one subtree of a bucket that alone would be too large.
struct state_range {
  std::uint32_t depth = 16;  // 16 .. 63
  std::uint64_t first = 0;
  std::uint64_t end = 0;
  friend bool operator==(const state_range&, const state_range&) = default;
};

/// That a ledger's rows within a range are exactly those shown with it.
struct chunk_proof {
  std::vector<hash256> siblings;  // level by level to the top; the left one first
  state_totals totals;            // of the whole ledger
  friend bool operator==(const chunk_proof&, const chunk_proof&) = default;
};

/// A row, or its absence, at the height of a block: all that somebody without the ledger needs who
/// trusts the header.
struct proven_row {
  block_header header;
  row_key key;
  std::optional<bytes> value;  // none: no such row
  state_proof proof;
  friend bool operator==(const proven_row&, const proven_row&) = default;
};

}  // namespace soma::inline values
