// What must be durable before it is said.
#include <algorithm>

#include "actors/consensus/simplex_core.hpp"
#include "messages/types/assert.hpp"

namespace soma::consensus {
namespace {

template <class Item>
void append(std::vector<Item>& to, std::vector<Item>&& more) {
  to.insert(to.end(), more.begin(), more.end());
}

/// One batch that does what both do, one after the other, within an epoch.
void append(record_batch& to, record_batch&& more) {
  if (more.new_epoch) to.new_epoch = more.new_epoch;
  if (more.votes_from) to.votes_from = more.votes_from;
  to.prune_to = std::max(to.prune_to, more.prune_to);
  append(to.votes, std::move(more.votes));
  append(to.proposed, std::move(more.proposed));
  append(to.certificates, std::move(more.certificates));
  append(to.blocks, std::move(more.blocks));
}

}  // namespace

/// A vote for a block goes with all of the block's chain that is not in the record yet.
void simplex::core::save_path(const block_id& tip) {
  for (auto id = tip; id != base.block;) {
    const auto found = blocks.find(id);
    SOMA_ASSERT(found != blocks.end(), "what is voted for stands on a whole chain");
    if (found->second.durable) break;
    found->second.durable = true;
    unsaved.blocks.push_back(found->second.what);
    id = found->second.what->whole.header.parent;
  }
}

bool simplex::core::may_write() const {
  return !mute && !is_silent();
}

/// One batch for all that was decided since the last one, with every certificate it may rest on.
void simplex::core::flush() {
  if (!decided || !may_write()) return;
  // S8: what a full disk held back is void once the end of its epoch goes into the ledger.
  const bool is_over = committing && committing->epoch_end;
  if (is_over && !broken(mutation::signs_after_epoch_end)) return;
  decided = false;
  auto batch = std::exchange(failed, {});
  append(batch, std::exchange(unsaved, {}));
  writes.push_back({next_ticket++, std::move(batch)});
  out.push_back(persist{writes.back().ticket, as_written(writes.back().batch)});
  if (broken(mutation::says_before_durable)) say(record_batch(writes.back().batch));
}

void simplex::core::on_stored(const stored& e) {
  SOMA_ASSERT(!writes.empty() && writes.front().ticket == e.ticket,
              "batches are acknowledged in their order");
  const auto batch = std::move(writes.front().batch);
  writes.pop_front();
  say(batch);
}

void simplex::core::say(const record_batch& batch) {
  for (const auto& [view, id] : batch.proposed) {
    const auto found = views.find(view);
    if (found == views.end() || found->second.mine.proposal != id) continue;
    found->second.mine.proposal_durable = true;
    send_proposal(view, {});
  }
  for (const auto& what : batch.votes) {
    if (what.epoch != base.epoch || what.view <= base.view) continue;
    if (broken(mutation::decides_when_durable)) note_mine(what);
    const auto vote = said(what);
    durable_votes.emplace(voting_record::place{what.view, what.kind}, vote);
    tell({}, peer::vote{vote});
    // Not counted earlier: no certificate may hold an own vote that a crash would take back.
    count(vote);
  }
}

/// Nothing of it was written. It stays decided, unsaid, and goes with the next batch.
void simplex::core::on_store_failed(const store_failed& e) {
  if (broken(mutation::says_what_failed)) return on_stored({e.ticket});
  mute = true;
  const auto at = std::find_if(writes.begin(), writes.end(),
                               [&](const write& w) { return w.ticket == e.ticket; });
  SOMA_ASSERT(at != writes.end(), "what fails was given out");
  SOMA_ASSERT(at == writes.begin(), "batches are answered in their order");
  append(failed, std::move(at->batch));
  writes.erase(at);
  decided = true;
}

}  // namespace soma::consensus
