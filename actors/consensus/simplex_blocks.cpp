// Blocks: what a leader proposes (R2), how a proposal is judged (R3), and when it is notarized
// (R4).
#include <algorithm>

#include "actors/consensus/simplex_core.hpp"
#include "messages/codec/codec.hpp"
#include "messages/signing/signing.hpp"
#include "messages/values/assert.hpp"

namespace soma::consensus {

/// R3. Whether a block of this epoch is well formed, as far as that can be checked without its
/// parent.
bool simplex::core::is_sound(const block& candidate) const {
  const auto& h = candidate.header;
  if (h.version != 1 || h.chain != base.chain || h.epoch != base.epoch) return false;
  if (h.view <= h.parent_view || h.flags > block_is_filler) return false;
  if (candidate.payload.size() > max_block_transactions) return false;
  if (h.transactions != candidate.payload.size()) return false;
  std::size_t size = 0;
  for (const auto& t : candidate.payload) size += payload_size(t);
  if (size > max_block_payload_bytes || h.payload_bytes != size) return false;
  return h.payload_root == signing::payload_root(candidate.payload, candidate.parent_signers);
}

/// R4, R13, E2. Whether a block may follow its parent, which is the base or has been executed.
/// View, height and time must fit, and a filler must follow exactly where the epoch is over.
bool simplex::core::fits_parent(const block_header& h) const {
  const bool fills = (h.flags & block_is_filler) != 0;
  if (h.parent == base.block) {
    return !fills && h.parent_view == base.view && h.height == base.height.next() &&
           h.time_ms > base.time_ms;
  }
  const auto* parent = known(h.parent);
  SOMA_ASSERT(parent != nullptr, "blocks are judged after their parents");
  const auto& p = parent->block->block.header;
  if (h.parent_view != p.view) return false;
  if (h.time_ms <= p.time_ms) return false;
  if (fills != ends_epoch(h.parent)) return false;
  return h.height == (fills ? p.height : p.height.next());
}

/// R4. Whether the core holds the certificates that a block rests on: its parent is the base or
/// certified, and every view between the two is skipped, so no block in between can be final.
bool simplex::core::is_justified(const block_header& h) const {
  SOMA_ASSERT(h.view > h.parent_view, "a sound block is later than its parent");
  if (h.parent != base.block || h.parent_view != base.view) {
    const auto* parent = held(h.parent_view, vote_kind::notarize);
    if (parent == nullptr) parent = held(h.parent_view, vote_kind::finalize);
    if (parent == nullptr || parent->statement.block != h.parent) return false;
  }
  for (auto view = h.parent_view + 1; view < h.view; ++view) {
    if (held(view, vote_kind::skip) == nullptr) return false;
  }
  return true;
}

/// R3. Takes a leader's block in, with the certificates that come with it. Everything about it that
/// can be checked without executing it is checked before anything is kept. A second block of the
/// same leader is kept as evidence, and the view is skipped.
void simplex::core::on_proposal(peer_number from, const peer::proposal& p) {
  const auto& candidate = p.block->block;
  const auto& h = candidate.header;
  if (h.view <= base.view || h.view > cur + view_window) return;
  if (h.view + view_window < cur && held(h.view, vote_kind::skip) != nullptr &&
      held(h.view, vote_kind::notarize) == nullptr) {
    return;  // forget_old_votes() has forgotten this view
  }
  const auto& in_view = views[h.view];
  const bool seen = in_view.has_seen(p.block->id);
  if (!seen) {
    if (h.proposer != members.leader(h.view) || !is_sound(candidate)) {
      out.push_back(
          blame{from, "a malformed proposal, or one of a member that does not lead its view"});
      return;
    }
    if (in_view.proposals().size() >= 2) return;
    if (!access_.checker.block_is_signed(members.key_of(h.proposer), p.block->id,
                                         candidate.by_proposer)) {
      out.push_back(blame{from, "a proposal with a wrong signature"});
      return;
    }
  }
  if (p.skipped.size() <= max_inline_skips) {
    for (const auto& c : p.skipped) take_certificate(from, c);
  }
  bool parent_holds = false;
  if (p.parent && p.parent->statement.epoch == base.epoch &&
      p.parent->statement.block == h.parent && p.parent->statement.view == h.parent_view &&
      p.parent->statement.kind != vote_kind::skip) {
    parent_holds = holds(*p.parent);
    if (parent_holds) take_certificate(from, *p.parent);
  }
  // The block may pay only the signers of a certificate for the parent that the leader has shown.
  const bool credits_hold = candidate.parent_signers.empty() ||
                            (parent_holds && p.parent->signers == candidate.parent_signers);
  auto state = views.find(h.view);  // certificates may have moved the base
  if (seen || state == views.end()) return;
  state->second.add_proposal(p.block, !credits_hold);
  keep(p.block);
  const auto& own = state->second.proposed();
  if (seat == h.proposer && (!own || own->id != p.block->id) && !signing.is_fenced()) {
    twin_seen();  // another process leads with this key
  }
  const auto& kept = state->second.proposals();
  if (kept.size() < 2) return;
  const auto& first = kept.front().block->block;
  accuse(state->second, h.proposer, offence::two_headers, {encode(first.header), first.by_proposer},
         {encode(h), candidate.by_proposer});
  if (h.view == cur) view_over = true;  // R8
}

/// R2. The highest block that a leader of the present view may build on: a certified block with
/// every view after it skipped, or the base. nullopt while a certificate for that is missing.
std::optional<simplex::core::footing> simplex::core::highest_footing() const {
  SOMA_ASSERT(cur > base.view, "the present view is above the last final block");
  for (auto view = cur - 1; view > base.view; --view) {
    if (const auto* c = held(view, vote_kind::notarize)) return footing{c->statement.block, view};
    if (const auto* c = held(view, vote_kind::finalize)) return footing{c->statement.block, view};
    if (held(view, vote_kind::skip) == nullptr) return std::nullopt;
  }
  return footing{base.block, base.view};
}

/// R2. Drafts a block when this process leads the present view, has waited long enough and knows
/// the state after the parent. The draft is executed first, because its header names the state
/// after the block.
void simplex::core::try_propose() {
  if (!signing.may_sign() || drafting || !pace_over || members.leader(cur) != *seat) return;
  if (views[cur].proposed()) return;
  const auto parent = highest_footing();
  if (!parent || execution_stalled) return;
  const auto ready = prepare(parent->parent);
  if (ready == readiness::wrong) return raise_alarm("a notarized block executes differently here");
  if (ready != readiness::ready) return;
  if (ends_epoch(parent->parent)) {
    return idle_over ? propose_filler(parent->parent) : wait_for_idle(options.idle_ms);
  }
  std::vector<block_ptr> ancestors;
  for (auto id = parent->parent; id != base.block; id = ancestors.back()->block.header.parent) {
    const auto* ancestor = known(id);
    if (ancestor == nullptr) return raise_alarm("a notarized block is not on the final chain");
    ancestors.push_back(ancestor->block);
  }
  std::reverse(ancestors.begin(), ancestors.end());
  const auto epoch_end_ms = base.epoch_end_ms;
  const auto parent_time =
      ancestors.empty() ? base.time_ms : ancestors.back()->block.header.time_ms;

  draft next{cur, 0, {}, {}};
  // Far above the last final block, blocks have no transactions and only keep the views going.
  if (ancestors.size() <= view_window && blocks.size() <= 2 * view_window) {
    next.block.payload =
        access_.payload.next_payload(ancestors, max_block_payload_bytes, max_block_transactions);
  }
  if (next.block.payload.empty() && !idle_over && now_ms < epoch_end_ms) {
    const auto rest = options.idle_ms - std::min(options.idle_ms, options.block_interval_ms);
    return wait_for_idle(std::min(rest, epoch_end_ms - now_ms));
  }
  auto& h = next.block.header;
  h.chain = base.chain;
  h.epoch = base.epoch;
  h.view = cur;
  h.height = ancestors.empty() ? base.height.next() : ancestors.back()->block.header.height.next();
  h.parent_view = parent->view;
  h.parent = parent->parent;
  h.time_ms = std::max(now_ms, parent_time + 1);
  h.proposer = *seat;
  std::size_t size = 0;
  for (const auto& t : next.block.payload) size += payload_size(t);
  SOMA_ASSERT(
      size <= max_block_payload_bytes && next.block.payload.size() <= max_block_transactions,
      "a payload source keeps to its limits");
  h.payload_bytes = static_cast<std::uint32_t>(size);
  h.transactions = static_cast<std::uint32_t>(next.block.payload.size());
  next.parent = parent_certificate(h);
  if (next.parent) next.block.parent_signers = next.parent->signers;
  h.payload_root = signing::payload_root(next.block.payload, next.block.parent_signers);
  next.ticket = next_ticket++;
  out.push_back(execute{next.ticket,
                        std::make_shared<const identified_block>(identified_block{{}, next.block}),
                        true});
  drafting = std::move(next);
}

/// R2. The certificate that allows building on the parent. It holds every vote for the parent that
/// came so far, and not only those of a quorum, because all members that signed are paid.
std::optional<certificate> simplex::core::parent_certificate(const block_header& h) const {
  if (h.parent == base.block && h.parent_view == base.view) {
    if (base.final && base.final->statement.epoch == base.epoch) return base.final;
    return std::nullopt;
  }
  const auto found = views.find(h.parent_view);
  if (found == views.end()) return std::nullopt;
  const auto* tally = found->second.tally(vote_kind::notarize, h.parent);
  if (tally != nullptr && is_quorum(tally->power)) {
    return made_of({vote_kind::notarize, base.epoch, h.parent_view, h.parent}, *tally);
  }
  const auto* c = found->second.held(vote_kind::notarize);
  if (c == nullptr) c = found->second.held(vote_kind::finalize);
  return c == nullptr ? std::nullopt : std::optional(*c);
}

/// E2. A filler has no payload and the state of its parent, so it needs no execution.
void simplex::core::propose_filler(const block_id& parent) {
  SOMA_ASSERT(ends_epoch(parent), "a filler follows the closing block or another filler");
  const auto& p = known(parent)->block->block.header;
  block candidate;
  auto& h = candidate.header;
  h = p;
  h.view = cur;
  h.parent_view = p.view;
  h.parent = parent;
  h.payload_bytes = h.transactions = 0;
  h.time_ms = std::max(now_ms, p.time_ms + 1);
  h.proposer = *seat;
  h.flags = block_is_filler;
  h.payload_root = signing::payload_root({}, {});
  take_own_proposal(std::move(candidate), parent_certificate(h));
}

/// Waits before an empty block is proposed, because transactions for it may come meanwhile.
void simplex::core::wait_for_idle(std::uint64_t most_ms) {
  if (std::exchange(idle_armed, true)) return;
  arm(timer_kind::propose, most_ms);
}

/// R2. Completes the header of a draft that was executed, and proposes the block unless the view is
/// over.
void simplex::core::finish_proposal(const execution_result& result) {
  SOMA_ASSERT(drafting, "a draft is finished that was begun");
  auto ours = std::move(*drafting);
  drafting.reset();
  const auto& parent = ours.block.header.parent;
  if (ours.view != cur || !signing.may_sign() || (parent != base.block && known(parent) == nullptr))
    return;
  if (!result.follows) return raise_alarm("the rules refuse a proposal of this process");
  ours.block.header = complete(ours.block.header, result);
  const auto id = signing::id_of(ours.block.header);
  take_own_proposal(std::move(ours.block), std::move(ours.parent));
  auto& mine = blocks.at(id);
  mine.execution = tree_block::stage::done;
  mine.result = result;
}

/// R2. From here on this block, and no other, is the proposal of this process in the present view.
/// It is sent when it is durable.
void simplex::core::take_own_proposal(block candidate, std::optional<certificate> parent) {
  SOMA_ASSERT(signing.may_sign() && candidate.header.proposer == *seat, "an own block is signed");
  SOMA_ASSERT(candidate.header.view == cur, "a block is proposed in its view");
  const auto id = signing::id_of(candidate.header);
  candidate.by_proposer = access_.key.sign_block(id);
  const auto own =
      std::make_shared<const identified_block>(identified_block{id, std::move(candidate)});
  keep(own);
  if (parent) unsaved.certificates.push_back(*parent);  // it holds all signers that the block names
  views[cur].propose(own, std::move(parent));
  unsaved.proposed.emplace_back(cur, id);
  save_path(id);
  decided = true;
}

/// R2. Sends the own block of a view, if it is durable, with the certificates that justify it.
void simplex::core::send_proposal(view_number view, const std::vector<peer_number>& to) {
  const auto found = views.find(view);
  if (found == views.end()) return;
  const auto& own = found->second.proposed();
  if (!own || !own->durable) return;
  const auto* mine = known(own->id);
  if (mine == nullptr) return;
  peer::proposal p;
  p.block = mine->block;
  const auto& h = mine->block->block.header;
  p.parent = own->parent ? own->parent : shown_again(mine->block->block);
  // Without the certificate of these signers no correct member would vote for the block.
  if (!p.parent && !mine->block->block.parent_signers.empty()) return;
  const auto inline_skips = std::min<std::uint64_t>(h.view.value, max_inline_skips);
  const auto from = std::max(h.parent_view.next(), h.view - inline_skips);
  for (auto v = from; v < h.view; ++v) {
    if (const auto* c = held(v, vote_kind::skip)) p.skipped.push_back(*c);
  }
  tell(to, std::move(p));
}

/// R2. The parent's certificate for a proposal that is sent again after a restart. The block names
/// the signers of its parent that are paid, so the certificate must have exactly these signers. The
/// record or the base may hold it.
std::optional<certificate> simplex::core::shown_again(const block& candidate) const {
  const auto& h = candidate.header;
  for (const auto kind : {vote_kind::notarize, vote_kind::finalize}) {
    const auto* c = held(h.parent_view, kind);
    if (c == nullptr || c->statement.block != h.parent) continue;
    if (candidate.parent_signers.empty() || c->signers == candidate.parent_signers) return *c;
  }
  if (base.final && h.parent == base.block &&
      (candidate.parent_signers.empty() || base.final->signers == candidate.parent_signers)) {
    return base.final;
  }
  return std::nullopt;
}

/// R4. Notarizes the block of the present view once the core holds everything that it rests on and
/// its execution gave what its header says.
void simplex::core::try_notarize() {
  if (!signing.may_sign()) return;
  auto& state = views[cur];
  if (state.own_notarize()) return;
  for (const auto& p : state.proposals()) {
    const auto& h = p.block->block.header;
    if (p.refused) {
      view_over = true;  // R8: this view cannot give a good block
      continue;
    }
    if (!state.may_notarize(p.block->id)) break;  // a second block of the leader is only evidence
    if (!is_justified(h)) continue;
    if (h.time_ms > now_ms + options.drift_ms) {  // R13
      arm(timer_kind::hold, h.time_ms - now_ms - options.drift_ms);
      continue;
    }
    const auto ready = prepare(p.block->id);
    if (ready == readiness::wrong) {
      state.refuse(p.block->id);
      view_over = true;
    } else if (ready == readiness::ready) {
      return decide(vote_kind::notarize, cur, p.block->id);
    }
  }
}

}  // namespace soma::consensus
