// Commits final blocks to the ledger, moves the base and begins epochs.
#include <algorithm>
#include <utility>

#include "actors/consensus/simplex_core.hpp"
#include "messages/values/assert.hpp"

namespace soma::consensus {

/// R9. The highest final block for which the core holds all blocks down to the base. A missing
/// block is fetched (R11), and a lower final block can be committed meanwhile.
std::optional<simplex::core::final_chain> simplex::core::highest_final_chain() {
  for (auto view = block_views.rbegin(); view != block_views.rend(); ++view) {
    const auto* c = held(*view, vote_kind::finalize);
    if (c == nullptr) continue;
    final_chain chain{c, {}};
    auto id = c->statement.block;
    for (const auto* b = known(id); id != base.block && b != nullptr; b = known(id)) {
      const auto& h = b->block->block.header;
      if (h.view <= base.view) {
        raise_alarm("a final block does not extend the ledger here");
        return std::nullopt;
      }
      chain.path.push_back(b);
      id = h.parent;
    }
    if (id != base.block) continue;
    std::reverse(chain.path.begin(), chain.path.end());
    return chain;
  }
  return std::nullopt;
}

/// R9. Gives the blocks up to the highest final one to the ledger, once they are executed. At the
/// end of an epoch the decisions of the epoch become durable first, and the process signs nothing
/// more in it (S8).
void simplex::core::try_commit() {
  if (committing || signing.is_alarmed()) return;
  const auto chain = highest_final_chain();
  if (!chain) return;
  const auto& [proof, path] = *chain;
  if (path.empty())
    return raise_alarm("a block that is already final is final in a later view, too");
  const auto ready = prepare(proof->statement.block);
  if (ready == readiness::wrong) return raise_alarm("a final block executes differently here");
  if (ready != readiness::ready) return;

  auto final_blocks = final_path(path, *proof);
  if (final_blocks.back().epoch_end) {
    signing.end_epoch();
    const bool unsaid = !writes.empty() || (decided && signing.may_write());
    if (unsaid) return;
  }
  commitment next{next_ticket++, position_after(final_blocks.back()),
                  final_blocks.back().epoch_end};
  out.push_back(commit{next.ticket, std::move(final_blocks)});
  committing = std::move(next);
}

/// R9, E3. The base after this block.
chain_position simplex::core::position_after(const final_block& last) const {
  const auto& h = last.block->block.header;
  const auto& result = known(last.block->id)->result;
  auto position = base;
  position.view = h.view;
  position.block = last.block->id;
  position.height = h.height;
  position.time_ms = h.time_ms;
  position.root = h.state_root;
  position.epoch_end_ms = result.epoch_end_ms;
  position.final = last.final;
  if (last.epoch_end) {
    position.epoch = base.epoch.next();
    position.view = {};
    position.epoch_start_ms = h.time_ms;
    position.final.reset();
    position.seats = result.next_committee;
    position.leader_seed = base.next_leader_seed;
    position.next_leader_seed = result.entropy;
  }
  SOMA_ASSERT(position.height > base.height, "a ledger grows with each commit");
  return position;
}

/// R9, E3. The blocks that go into the ledger: all up to the certified block, or up to the block
/// that closes the epoch. Fillers after the closing block go into the proof of the epoch's end.
std::vector<final_block> simplex::core::final_path(const std::vector<const tree_block*>& path,
                                                   const certificate& c) {
  std::vector<final_block> blocks_to_commit;
  for (const auto* b : path) {
    const auto& h = b->block->block.header;
    if ((h.flags & block_is_filler) != 0) {
      SOMA_ASSERT(!blocks_to_commit.empty() && blocks_to_commit.back().epoch_end,
                  "a filler stands on the block that closes the epoch");
      blocks_to_commit.back().epoch_end->headers.push_back(h);
      continue;
    }
    blocks_to_commit.push_back({b->block, std::nullopt, std::nullopt});
    if ((h.flags & block_closes_epoch) != 0) {
      blocks_to_commit.back().epoch_end = epoch_proof{{h}, c, b->result.next_committee};
    }
  }
  if (blocks_to_commit.back().block->id == c.statement.block) blocks_to_commit.back().final = c;
  return blocks_to_commit;
}

/// The blocks are in the ledger. The last one becomes the base, and if it closes its epoch, the
/// next epoch begins.
void simplex::core::on_committed(const committed& e) {
  if (!committing || committing->ticket != e.ticket) return;
  const auto done = std::move(*committing);
  committing.reset();
  const bool new_epoch = done.epoch_end.has_value();
  if (new_epoch) last_proof = std::pair(base.epoch, *done.epoch_end);
  base = done.next;
  out.push_back(base_moved{base.block});
  if (new_epoch) {
    begin_epoch();
  } else {
    move_base();
  }
  standstill_wait_ms = options.standstill_ms;
  arm(timer_kind::standstill, standstill_wait_ms);
  if (hint) fetch();
}

/// R9. Forgets everything below the new base and all blocks on other chains.
void simplex::core::move_base() {
  const auto old = base.view;
  views.erase(views.begin(), views.upper_bound(old));
  block_views.erase(block_views.begin(), block_views.upper_bound(old));
  // A block on another chain is removed together with all blocks that stand on it.
  std::set<block_id> gone;
  const auto goes = [&](const tree_block& b) {
    const auto& h = b.block->block.header;
    return h.view <= old || (gone.contains(h.parent) && h.parent != base.block);
  };
  for (bool more = true; more;) {
    more = std::erase_if(blocks, [&](const auto& b) {
             return goes(b.second) && gone.insert(b.first).second;
           }) > 0;
  }
  std::erase_if(durable_votes, [&](const auto& v) { return v.first.first <= old; });
  std::erase_if(running, [&](const auto& r) { return !blocks.contains(r.second); });
  unsaved.prune_to = old;
  for (auto* batch : {&unsaved, &failed}) {
    std::erase_if(batch->certificates, [&](const auto& c) { return c.statement.view <= old; });
  }
  SOMA_ASSERT(views.empty() || views.begin()->first > base.view, "only views above are kept");
  if (cur <= base.view) enter(base.view + 1);
  if (signing.has_lost_record()) send_hello({});
}

/// E3, E5. The ledger holds the end of an epoch. The next epoch begins with its own committee and
/// without anything of the last epoch, and takes in the messages that came early for it.
void simplex::core::begin_epoch() {
  SOMA_ASSERT(base.view.value == 0 && !committing,
              "an epoch begins when the end of the last is durable");
  lift_fence();  // uses the answers of the last epoch's members
  members = committee(base.chain, base.epoch, base.seats, base.leader_seed);
  seat = members.seat_of(access_.key.key());
  views.clear();
  block_views.clear();
  blocks.clear();
  durable_votes.clear();
  running.clear();
  drafting.reset();
  ahead.clear();
  const auto fence = std::max(unsaved.votes_from, failed.votes_from);
  unsaved = failed = {};
  unsaved.new_epoch = base.epoch;
  unsaved.votes_from = fence;
  decided = decided && fence.has_value();
  signing.begin_epoch(base.epoch, seat.has_value());
  // The committee has changed, so listening starts again.
  if (signing.is_listening()) arm(timer_kind::listen, options.listen_ms);
  first_own_view = {};
  cur = {};
  enter({1});
  if (signing.has_lost_record()) send_hello({});
  early_bytes = 0;
  for (const auto& message : std::exchange(early, {})) on_received(message);
}

}  // namespace soma::consensus
