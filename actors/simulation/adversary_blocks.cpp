// Leaders that propose several blocks in one view, each to a part of the network.
#include <algorithm>

#include "actors/simulation/adversary.hpp"
#include "messages/signing/signing.hpp"

namespace soma::simulation {

const certificate* adversary::held(std::uint64_t epoch, view_number view, vote_kind kind,
                                   const block_id& block) const {
  const vote_statement statement{kind, {epoch}, view, block};
  const auto it = std::ranges::find(certificates_, statement, &certificate::statement);
  return it == certificates_.end() ? nullptr : &*it;
}

state_ptr adversary::state_after(const node& n, const block_id& parent) const {
  if (parent == n.chain.tip()) return n.chain.tip_state();
  const auto known = engine_.toy.find(parent);
  return known == nullptr ? nullptr : known->state;
}

block_ptr adversary::finish(node& n, block_header draft, const block_header& parent,
                            const state_ptr& state, std::vector<signed_transaction> payload,
                            const signer_set& signers) {
  if (state == nullptr || state->epoch != draft.epoch.value) return nullptr;
  draft.height = {state->height + 1};
  draft.time_ms = std::max(draft.time_ms, parent.time_ms + 1);
  if (dice_.chance(200)) draft.time_ms = state->time_ms - dice_.below(2);  // not after its parent
  draft.payload_root = signing::payload_root(payload, signers);
  draft.transactions = static_cast<std::uint32_t>(payload.size());
  draft.payload_bytes = 0;
  for (const auto& t : payload) {
    draft.payload_bytes += static_cast<std::uint32_t>(consensus::payload_size(t));
  }
  draft.state_root = {};
  draft.flags = 0;
  draft.next_committee = {};
  block made{draft, {}, std::move(payload), signers};
  const auto done = engine_.toy.execute(state, {}, made);
  if (!done->result.follows) return nullptr;
  made.header = consensus::complete(draft, done->result);
  const auto id = signing::id_of(made.header);
  engine_.toy.name(id, state, done);
  made.by_proposer = n.signer.sign_block(id);
  return std::make_shared<const identified_block>(identified_block{id, std::move(made)});
}

// A block of the same height and view as `own`, with other content.
block_ptr adversary::variant(node& n, const identified_block& own, std::uint64_t which) {
  auto header = own.block.header;
  header.time_ms += which;
  if ((header.flags & block_is_filler) != 0) {
    auto other = own;
    other.block.header = header;
    other.id = signing::id_of(header);
    other.block.by_proposer = n.signer.sign_block(other.id);
    return std::make_shared<const identified_block>(std::move(other));
  }
  auto payload = own.block.payload;
  if (dice_.chance(500)) payload.clear();
  return finish(n, header, {}, state_after(n, header.parent), std::move(payload),
                own.block.parent_signers);
}

peer::proposal adversary::on_odd_parent(node& n, const block_header& like) {
  peer::proposal p;
  if (blocks_.empty()) return p;
  // Most often one of the latest four: a block on top of one that is long final has no effect.
  const auto reach = dice_.chance(600) ? std::min<std::size_t>(blocks_.size(), 4) : blocks_.size();
  const auto& parent = blocks_[blocks_.size() - 1 - dice_.below(reach)];
  const auto& above = parent->block.header;
  const auto closes = block_closes_epoch | block_is_filler;
  if (above.epoch != like.epoch || above.view >= like.view || (above.flags & closes) != 0) return p;
  auto header = like;
  header.parent = parent->id;
  header.parent_view = above.view;
  const auto* shown = held(like.epoch.value, above.view, vote_kind::notarize, parent->id);
  p.block = finish(n, header, above, state_after(n, parent->id), {},
                   shown == nullptr ? signer_set{} : shown->signers);
  if (shown != nullptr) p.parent = *shown;
  for (auto view = above.view.next(); view < like.view; ++view) {
    const auto* skipped = held(like.epoch.value, view, vote_kind::skip, {});
    if (skipped != nullptr && p.skipped.size() < max_inline_skips) p.skipped.push_back(*skipped);
  }
  return p;
}

void adversary::equivocate(node& n, node_set to, const peer::proposal& own) {
  std::vector<peer::proposal> all{own};
  const auto count = 1 + dice_.below(2);
  for (std::uint64_t i = 1; i <= count; ++i) {
    auto other = own;
    const auto is_odd = dice_.chance(350);
    if (is_odd) {
      other = on_odd_parent(n, own.block->block.header);
    } else if (dice_.chance(200)) {
      spoil_block(other.block);  // the id stays, the content does not
      all.push_back(other);
      continue;
    } else {
      other.block = variant(n, *own.block, i);
    }
    if (other.block == nullptr || other.block->id == own.block->id) continue;
    ++engine_.counts[is_odd ? coverage::equivocated_on_odd_parent : coverage::equivocations];
    all.push_back(std::move(other));
  }
  std::vector<node_set> groups(all.size());
  for (std::uint32_t peer = 0; peer < engine_.nodes.size(); ++peer) {
    groups[dice_.below(groups.size())] |= node_set{1} << peer;
    if (dice_.chance(100)) groups[dice_.below(groups.size())] |= node_set{1} << peer;
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto message = std::make_shared<const peer_message>(all[i]);
    hear(message);
    engine_.broadcast(n, to & groups[i], message);
  }
}

// A proposal that the node's core does not make: the view may lie ahead, or the core may have
// nothing to propose in it.
void adversary::propose_oddly(node& n) {
  const auto& members = n.core->members();
  const auto seat = members.seat_of(n.signer.key());
  if (!seat || blocks_.empty()) return;
  block_header like;
  like.chain = engine_.keys.chain();
  like.epoch = n.core->epoch();
  like.view = n.core->view() + dice_.below(4);
  like.time_ms = engine_.now_ms();
  like.proposer = *seat;
  if (members.leader(like.view) != *seat) return;
  auto p = on_odd_parent(n, like);
  if (p.block == nullptr) return;
  ++engine_.counts[coverage::equivocated_on_odd_parent];
  const auto message = std::make_shared<const peer_message>(std::move(p));
  hear(message);
  engine_.broadcast(n, some() & ~(node_set{1} << n.node_index), message);
}

}  // namespace soma::simulation
