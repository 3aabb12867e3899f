// Proofs of rows, of absences and of chunks against a state root, for machines that do not have the
// ledger. What must hold:
//   - A proof that verifies is true of every ledger with that root; only that ledger's own proof
//     verifies, bit by bit, except for a range of rows shown in another cut.
//   - Checking costs what was received, whatever it says: a bound on everything, nothing allocated
//     from a number that came with it.
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
  not_ascending,   // rows out of order, or one twice
  out_of_place,    // a row that lies in another leaf or outside the range
  wrong_range,     // no range of buckets and no subtree of one
  wrong_siblings,  // not as many as the range has
  beyond_totals,   // more rows or bytes than the whole ledger is said to have
  wrong_root,      // the hashes lead to another root
  row_absent,      // the root is right, and no row has this key
  row_present,     // the root is right, and a row has this key
  value_differs,   // the root is right, and the row has another value
};
[[nodiscard]] std::string_view to_text(proof_refusal refusal);

/// For the row with this key, or for its absence.
[[nodiscard]] state_proof prove(const tree& from, byte_view key);
/// That the ledger with this root has the row `key` with this value; without a value, that it has
/// no such row. Protocol §11.4.
[[nodiscard]] expected<void, proof_refusal> verify(const state_proof& proof, byte_view key,
                                                   std::optional<byte_view> value,
                                                   const state_root& root);

struct row_view {
  byte_view key;
  byte_view value;
};

/// For the rows of a range that ranges() of the tree named, or of any range of buckets.
[[nodiscard]] chunk_proof prove_chunk(const tree& from, const state_range& range);
/// That these are all rows which the ledger with this root has in the range, ascending by the hash
/// of their key. Together, chunks whose ranges lie side by side are the ledger. Protocol §11.5.
[[nodiscard]] expected<void, proof_refusal> verify_chunk(std::span<const row_view> rows,
                                                         const state_range& range,
                                                         const chunk_proof& proof,
                                                         const state_root& root);

}  // namespace soma::state_tree
