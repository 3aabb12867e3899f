// What broken rules need more than a condition for. Nothing here happens in production.
#include "actors/consensus/simplex_core.hpp"

namespace soma::consensus {

/// What reaches the disk of a batch.
record_batch simplex::core::as_written(record_batch batch) const {
  if (broken(mutation::votes_not_durable)) batch.votes.clear();
  if (broken(mutation::certificates_not_durable)) batch.certificates.clear();
  if (broken(mutation::forgets_above_base) && cur > 0) {
    batch.prune_to = std::max(batch.prune_to, cur - 1);
  }
  return batch;
}

void simplex::core::note_mine(const vote_statement& what) {
  auto& mine = views[what.view].mine;
  if (what.kind == vote_kind::notarize) mine.notarize = what.block;
  if (what.kind == vote_kind::finalize) mine.finalize = what.block;
  if (what.kind == vote_kind::skip) mine.skip = true;
}

}  // namespace soma::consensus
