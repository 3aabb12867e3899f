// From a final certificate to a longer ledger, and from an epoch to the next.
#include <algorithm>
#include <utility>

#include "actors/consensus/simplex_core.hpp"
#include "messages/types/assert.hpp"

namespace soma::consensus {

/// R9.
void simplex::core::try_commit() {
  if (committing || alarmed) return;
  // The highest final block whose chain is all here; who is far behind gets them from below.
  const certificate* highest = nullptr;
  std::vector<const tree_block*> path;  // from the base up
  for (auto view = block_views.rbegin(); view != block_views.rend() && highest == nullptr; ++view) {
    const auto* c = held(*view, vote_kind::finalize);
    if (c == nullptr && broken(mutation::commits_when_notarized))
      c = held(*view, vote_kind::notarize);
    if (c == nullptr) continue;
    path.clear();
    auto id = c->what.block;
    for (const auto* b = known(id); id != base.block && b != nullptr; b = known(id)) {
      const auto& h = b->what->whole.header;
      if (h.view <= base.view) return raise_alarm("a final block does not extend the ledger here");
      path.push_back(b);
      id = h.parent;
    }
    if (id == base.block) highest = c;  // else R11 fetches what is missing
  }
  if (highest == nullptr) return;
  if (path.empty()) return raise_alarm("what is final already is final in a later view, too");
  std::reverse(path.begin(), path.end());
  const auto ready = prepare(highest->what.block);
  if (ready == readiness::wrong) return raise_alarm("a final block executes differently here");
  if (ready != readiness::ready) return;

  commitment next;
  auto final_blocks = final_path(path, *highest);
  const auto& last = *known(final_blocks.back().what->id);
  next.epoch_end = final_blocks.back().epoch_end;
  if (next.epoch_end) {
    // S8: what was signed in this epoch is durable before its end is, and nothing comes after.
    ending = true;
    const bool unsaid = !writes.empty() || (decided && may_write());
    if (unsaid && !broken(mutation::signs_after_epoch_end)) return;
  }
  const auto& h = last.what->whole.header;
  auto& position = next.next = base;
  position.view = h.view;
  position.block = last.what->id;
  position.height = h.height;
  position.time_ms = h.time_ms;
  position.root = h.state_root;
  position.epoch_end_ms = last.result.epoch_end_ms;
  position.final = final_blocks.back().final;
  if (next.epoch_end) {
    position.epoch = base.epoch.next();
    position.view = 0;
    position.epoch_start_ms = h.time_ms;
    position.final.reset();
    position.seats = last.result.next_committee;
    position.leader_seed = base.next_leader_seed;
    position.next_leader_seed = last.what->id.as<hash_tag>();
  }
  next.ticket = next_ticket++;
  out.push_back(commit{next.ticket, std::move(final_blocks)});
  committing = std::move(next);
}

/// What goes into the ledger: everything up to the certified block, or up to the one that closes
/// the epoch. E3.
std::vector<final_block> simplex::core::final_path(const std::vector<const tree_block*>& path,
                                                   const certificate& c) {
  std::vector<final_block> blocks_to_commit;
  for (const auto* b : path) {
    const auto& h = b->what->whole.header;
    if ((h.flags & block_is_filler) != 0) {
      blocks_to_commit.back().epoch_end->headers.push_back(h);
      continue;
    }
    blocks_to_commit.push_back({b->what, std::nullopt, std::nullopt});
    if ((h.flags & block_closes_epoch) != 0) {
      blocks_to_commit.back().epoch_end = epoch_proof{{h}, c, b->result.next_committee};
    }
  }
  if (blocks_to_commit.back().what->id == c.what.block) blocks_to_commit.back().final = c;
  return blocks_to_commit;
}

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

void simplex::core::move_base() {
  const auto old = base.view;
  views.erase(views.begin(), views.upper_bound(old));
  block_views.erase(block_views.begin(), block_views.upper_bound(old));
  // What stands beside the base goes with all that stands on it.
  std::set<block_id> gone;
  const auto goes = [&](const tree_block& b) {
    const auto& h = b.what->whole.header;
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
    std::erase_if(batch->certificates, [&](const auto& c) { return c.what.view <= old; });
  }
  if (cur <= base.view) enter(base.view + 1);
  if (forgot) send_hello({});
}

/// E3.
void simplex::core::begin_epoch() {
  lift_fence();  // by what the members of the last one have said
  members = committee(base.chain, base.epoch,
                      broken(mutation::committee_stays) ? members.seats() : base.seats,
                      broken(mutation::leaders_stay) ? members.leader_seed() : base.leader_seed);
  seat = members.seat_of(access_.key.key());
  views.clear();
  block_views.clear();
  blocks.clear();
  durable_votes.clear();
  running.clear();
  drafting.reset();
  const auto fence = std::max(unsaved.votes_from, failed.votes_from);
  unsaved = failed = {};
  unsaved.new_epoch = base.epoch;
  unsaved.votes_from = fence;
  decided = decided && fence.has_value();
  ending = false;
  // Others are to be heard now than before.
  listening = std::exchange(listens_again, false) || listening;
  if (listening) arm(timer_kind::listen, options.listen_ms);
  first_own_view = 0;
  cur = 0;
  enter(1);
  if (forgot) send_hello({});
  early_bytes = 0;
  for (const auto& message : std::exchange(early, {})) on_received(message);
}

}  // namespace soma::consensus
