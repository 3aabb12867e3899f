// Proofs of rows, of absences and of chunks against a state root, for machines that do not have the
// ledger. What must hold:
//   - A proof that verifies is true of every ledger with that root. Only that ledger's own proof
//     verifies, bit by bit, with one exception: a range of rows may be cut into chunks in another
//     way.
//   - The cost of checking is bounded by the size of what was received, whatever it contains:
//     everything has a limit, and no memory is allocated by a number that came with it.
// How proofs travel: messages/codec/codec_proofs.hpp.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "actors/state_tree/state_tree.hpp"
#include "messages/values/expected.hpp"

namespace soma::state_tree {

enum class proof_refusal : std::uint8_t {
  wrong_depth,     // fewer siblings than lie above a bucket, or more than a key hash has bits
  leaf_too_large,  // more rows than a leaf may have
  not_ascending,   // rows are out of order, or one occurs twice
  out_of_place,    // a row that lies in another leaf or outside the range
  wrong_range,     // neither a range of buckets nor one subtree of a bucket
  wrong_siblings,  // not as many siblings as the range has
  beyond_totals,   // more rows or bytes than the whole ledger is said to have
  wrong_root,      // the hashes lead to another root
  row_absent,      // the root is right, and no row has this key
  row_present,     // the root is right, and a row has this key
  value_differs,   // the root is right, and the row has another value
};
[[nodiscard]] std::string_view to_text(proof_refusal refusal);

/// Makes the proof of the row with this key, or of its absence.
[[nodiscard]] state_proof prove(const tree& from, byte_view key);
/// Checks that the ledger with this root has the row `key` with this value or, without a value,
/// that it has no such row. Protocol §11.4.
[[nodiscard]] expected<void, proof_refusal> verify(const state_proof& proof, byte_view key,
                                                   std::optional<byte_view> value,
                                                   const state_root& root);

struct row_view {
  byte_view key;
  byte_view value;
};

/// Makes the proof of the rows of a range that the tree's ranges() named, or of any range of
/// buckets.
[[nodiscard]] chunk_proof prove_chunk(const tree& from, const state_range& range);
/// Checks that these are all rows that the ledger with this root has in the range, ascending by the
/// hash of their key. Chunks whose ranges lie side by side and cover everything are together the
/// ledger. Protocol §11.5.
[[nodiscard]] expected<void, proof_refusal> verify_chunk(std::span<const row_view> rows,
                                                         const state_range& range,
                                                         const chunk_proof& proof,
                                                         const state_root& root);

}  // namespace soma::state_tree
