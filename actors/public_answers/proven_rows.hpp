// Rows of the newest state with a proof each. The proofs come from the state tree that the
// execution keeps in memory: a row costs a search in the ledger and one leaf of the tree, however
// many rows there are.
#pragma once

#include "actors/public_answers/refusal.hpp"
#include "actors/state_tree/state_tree.hpp"
#include "storage/tables/ledger_store.hpp"

namespace soma::public_answers {

inline constexpr std::size_t max_proven_rows = 256;
inline constexpr std::size_t max_asked_key_bytes = 96;  // no row of the ledger has a longer key
/// An answer ends with the entry that brings its keys, values and proofs above this.
inline constexpr std::size_t max_rows_bytes = std::size_t{4} << 20;

/// The tree is that of the view's newest block (asserted when there is a block): both are taken
/// without a commit between them. Refusals: bad_key, too_many, too_few and those of finality_of.
[[nodiscard]] message<schema::ProvenRows> proven_rows_answer(const tables::ledger_view& ledger,
                                                             const state_tree::tree& tree,
                                                             schema::GetProvenRows::Reader asked);

}  // namespace soma::public_answers
