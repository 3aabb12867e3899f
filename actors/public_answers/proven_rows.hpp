// Rows of the newest state with a proof each. The proofs come from the state tree that the
// execution keeps in memory: a row costs a search in the ledger and one leaf of the tree, however
// many rows there are.
#pragma once

#include "actors/public_answers/finality.hpp"
#include "actors/state_tree/state_tree.hpp"
#include "storage/tables/ledger_store.hpp"

namespace soma::public_answers {

inline constexpr std::size_t max_proven_rows = 256;
inline constexpr std::size_t max_asked_key_bytes = 96;  // no row of the ledger has a longer key
/// An answer ends with the entry that brings its keys, values and proofs above this.
inline constexpr std::size_t max_rows_bytes = std::size_t{4} << 20;

/// Answers for one ledger. It remembers what proves the newest block, because reading a full block
/// for each question would cost more than the proofs of its rows.
class row_prover {
 public:
  /// The tree is that of the view's newest block (asserted when there is a block): both are taken
  /// without a commit between them. Refusals: bad_key, too_many, too_few and those of finality_of.
  [[nodiscard]] message<schema::ProvenRows> answer(const tables::ledger_view& ledger,
                                                   const state_tree::tree& tree,
                                                   schema::GetProvenRows::Reader asked);

 private:
  std::optional<finality> newest_;
};

}  // namespace soma::public_answers
