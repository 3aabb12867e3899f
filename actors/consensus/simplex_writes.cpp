// Batches for the voting record. A decision is sent only after its batch is durable.
#include <algorithm>

#include "actors/consensus/simplex_core.hpp"
#include "messages/values/assert.hpp"

namespace soma::consensus {
namespace {

template <class Item>
void append(std::vector<Item>& to, std::vector<Item>&& more) {
  to.insert(to.end(), more.begin(), more.end());
}

/// Merges `more` into `to`. The result does the same as both batches in this order, within one
/// epoch.
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

/// R4. A vote for a block, or its proposal, becomes durable together with all blocks of its chain
/// that the record does not hold yet, so that the record justifies the vote after a restart.
void simplex::core::save_path(const block_id& tip) {
  for (auto id = tip; id != base.block;) {
    const auto found = blocks.find(id);
    SOMA_ASSERT(found != blocks.end(), "what is voted for stands on a whole chain");
    if (found->second.durable) break;
    found->second.durable = true;
    unsaved.blocks.push_back(found->second.block);
    id = found->second.block->block.header.parent;
  }
}

/// Gives out one batch with all decisions since the last batch and with every certificate that they
/// may rest on.
void simplex::core::flush() {
  if (!decided || !signing.may_write()) return;
  // S8: decisions that a full disk held back are void once the end of their epoch is committed.
  const bool is_over = committing && committing->epoch_end;
  if (is_over) return;
  decided = false;
  SOMA_ASSERT(writes.empty() || writes.back().ticket < next_ticket, "tickets go up");
  auto batch = std::exchange(failed, {});
  append(batch, std::exchange(unsaved, {}));
  writes.push_back({next_ticket++, std::move(batch)});
  out.push_back(persist{writes.back().ticket, writes.back().batch});
}

/// A batch is durable, so its decisions are sent now.
void simplex::core::on_stored(const stored& e) {
  SOMA_ASSERT(!writes.empty() && writes.front().ticket == e.ticket,
              "batches are acknowledged in their order");
  const auto batch = std::move(writes.front().batch);
  writes.pop_front();
  send_decisions(batch);
}

/// Sends the decisions of a durable batch in order, and counts the own votes in it.
void simplex::core::send_decisions(const record_batch& batch) {
  for (const auto& [view, id] : batch.proposed) {
    const auto found = views.find(view);
    if (found == views.end()) continue;
    auto& state = found->second;
    if (!state.proposed() || state.proposed()->id != id) continue;
    state.set_proposal_durable();
    send_proposal(view, {});
  }
  for (const auto& statement : batch.votes) {
    if (statement.epoch != base.epoch || statement.view <= base.view) continue;
    const auto vote = said(statement);
    durable_votes.emplace(voting_record::view_and_kind{statement.view, statement.kind}, vote);
    tell({}, peer::vote{vote});
    // The vote is not counted earlier, because a crash could undo it while a certificate holds it.
    count(vote);
  }
}

/// R4. Nothing of a batch was written, and the process becomes mute. The batch's decisions stay
/// taken and unsent, and are written with the first batch when there is room.
void simplex::core::on_store_failed(const store_failed& e) {
  signing.set_mute(true);
  const auto at = std::find_if(writes.begin(), writes.end(),
                               [&](const write& w) { return w.ticket == e.ticket; });
  SOMA_ASSERT(at != writes.end(), "what fails was given out");
  SOMA_ASSERT(at == writes.begin(), "batches are answered in their order");
  append(failed, std::move(at->batch));
  writes.erase(at);
  decided = true;
}

}  // namespace soma::consensus
