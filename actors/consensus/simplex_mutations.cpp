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

/// The present one. The broken core looks back: what is finalized is over here, always.
std::uint64_t simplex::core::view_to_skip() const {
  const auto before = views.find(cur - 1);
  const bool back = broken(mutation::skips_after_finalize) && before != views.end() &&
                    before->first > base.view && before->second.mine.finalize &&
                    !before->second.mine.skip;
  return back ? cur - 1 : cur;
}

void simplex::core::note_mine(const vote_statement& what) {
  auto& mine = views[what.view].mine;
  if (what.kind == vote_kind::notarize) mine.notarize = what.block;
  if (what.kind == vote_kind::finalize) mine.finalize = what.block;
  if (what.kind == vote_kind::skip) mine.skip = true;
}

}  // namespace soma::consensus
