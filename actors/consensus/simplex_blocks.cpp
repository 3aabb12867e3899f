// Proposing a block, judging one.
#include <algorithm>

#include "actors/consensus/simplex_core.hpp"
#include "messages/crypto/transactions.hpp"
#include "messages/types/assert.hpp"
#include "messages/types/codec.hpp"

namespace soma::consensus {
namespace {

constexpr int two_headers = 3;  // besides the offences of votes

}  // namespace

/// What a block says of itself, without its parent. R3.
bool simplex::core::is_sound(const block& whole) const {
  const auto& h = whole.header;
  if (h.version != 1 || h.chain != base.chain || h.epoch != base.epoch) return false;
  if (h.view <= h.parent_view || h.flags > block_is_filler) return false;
  if (whole.payload.size() > max_block_transactions) return false;
  if (h.transactions != whole.payload.size()) return false;
  std::size_t size = 0;
  for (const auto& t : whole.payload) size += payload_size(t);
  if (size > max_block_payload_bytes || h.payload_bytes != size) return false;
  if (broken(mutation::payload_unchecked)) return true;
  return h.payload_root == crypto::payload_root(whole.payload, whole.parent_signers);
}

/// What a block says of itself beside its parent, which is the base or done.
bool simplex::core::fits_parent(const block_header& h) const {
  const bool fills = (h.flags & block_is_filler) != 0;
  if (h.parent == base.block) {
    return !fills && h.parent_view == base.view && h.height == base.height.next() &&
           (h.time_ms > base.time_ms || broken(mutation::parent_time_unchecked));
  }
  const auto* parent = known(h.parent);
  SOMA_ASSERT(parent != nullptr, "blocks are judged after their parents");
  const auto& p = parent->what->whole.header;
  if (h.parent_view != p.view) return false;
  if (h.time_ms <= p.time_ms && !broken(mutation::parent_time_unchecked)) return false;
  if (fills != ends_epoch(h.parent) && !broken(mutation::epoch_goes_on)) return false;
  return h.height == (fills ? p.height : p.height.next());
}

/// The parent is notarized or the base, and no view between can have been final.
bool simplex::core::is_justified(const block_header& h) const {
  if (h.parent != base.block || h.parent_view != base.view) {
    const auto* parent = held(h.parent_view, vote_kind::notarize);
    if (parent == nullptr) parent = held(h.parent_view, vote_kind::finalize);
    if ((parent == nullptr || parent->what.block != h.parent) &&
        !broken(mutation::parent_needs_no_certificate)) {
      return false;
    }
  }
  for (auto view = h.parent_view + 1; view < h.view; ++view) {
    if (held(view, vote_kind::skip) == nullptr && !broken(mutation::gap_needs_no_skips)) {
      return false;
    }
  }
  return true;
}

/// R3.
void simplex::core::on_proposal(peer_number from, const peer::proposal& p) {
  const auto& whole = p.what->whole;
  const auto& h = whole.header;
  if (h.view <= base.view || h.view > cur + view_window) return;
  if (h.view + view_window < cur && held(h.view, vote_kind::skip) != nullptr &&
      held(h.view, vote_kind::notarize) == nullptr) {
    return;  // see forget_old_votes
  }
  auto& list = views[h.view].proposals;
  const bool seen = std::any_of(list.begin(), list.end(),
                                [&](const auto& s) { return s.what->id == p.what->id; });
  if (!seen) {
    if (!leads(h.proposer, h.view) || !is_sound(whole)) {
      out.push_back(blame{from, "a proposal that is none"});
      return;
    }
    if (list.size() >= 2) return;
    if (!broken(mutation::proposal_signature_unchecked) &&
        !access_.checker.block_is_signed(members.key_of(h.proposer), p.what->id,
                                         whole.by_proposer)) {
      out.push_back(blame{from, "a proposal with a wrong signature"});
      return;
    }
  }
  if (p.skipped.size() <= max_inline_skips) {
    for (const auto& c : p.skipped) take_certificate(from, c);
  }
  bool parent_holds = false;
  if (p.parent && p.parent->what.epoch == base.epoch && p.parent->what.block == h.parent &&
      p.parent->what.view == h.parent_view && p.parent->what.kind != vote_kind::skip) {
    parent_holds = holds(*p.parent);
    if (parent_holds) take_certificate(from, *p.parent);
  }
  // Who is paid for the parent is what the leader could show.
  const bool credits_hold =
      whole.parent_signers.empty() || (parent_holds && p.parent->signers == whole.parent_signers);
  auto state = views.find(h.view);  // certificates may have moved the base
  if (seen || state == views.end()) return;
  auto& kept = state->second.proposals;
  kept.push_back({p.what, !credits_hold});
  keep(p.what);
  if (seat == h.proposer && state->second.mine.proposal != p.what->id && !fenced()) {
    twin_seen();  // another process leads with this key
  }
  if (kept.size() < 2) return;
  const auto& first = kept.front().what->whole;
  accuse(h.proposer, state->second, two_headers, encode(first.header), first.by_proposer, encode(h),
         whole.by_proposer);
  if (h.view == cur) view_over = true;  // R8
}

/// The highest parent that may be built on: notarized, with every view above it skipped.
std::optional<simplex::core::footing> simplex::core::highest_footing() const {
  for (auto view = cur - 1; view > base.view; --view) {
    if (const auto* c = held(view, vote_kind::notarize)) return footing{c->what.block, view};
    if (const auto* c = held(view, vote_kind::finalize)) return footing{c->what.block, view};
    if (held(view, vote_kind::skip) == nullptr && !broken(mutation::gap_needs_no_skips)) {
      return std::nullopt;
    }
  }
  return footing{base.block, base.view};
}

/// R2.
void simplex::core::try_propose() {
  if (!may_sign() || drafting || !pace_over || !leads(*seat, cur)) return;
  if (views[cur].mine.proposal) return;
  const auto parent = highest_footing();
  if (!parent || execution_stalled) return;
  const auto ready = prepare(parent->parent);
  if (ready == readiness::wrong) return raise_alarm("a notarized block executes differently here");
  if (ready != readiness::ready) return;
  if (ends_epoch(parent->parent) && !broken(mutation::epoch_goes_on)) {
    return idle_over ? propose_filler(parent->parent) : wait_for_idle(options.idle_ms);
  }
  std::vector<block_ptr> ancestors;
  for (auto id = parent->parent; id != base.block; id = ancestors.back()->whole.header.parent) {
    const auto* ancestor = known(id);
    if (ancestor == nullptr) return raise_alarm("a notarized block is not on the final chain");
    ancestors.push_back(ancestor->what);
  }
  std::reverse(ancestors.begin(), ancestors.end());
  const auto epoch_end_ms = base.epoch_end_ms;
  const auto parent_time =
      ancestors.empty() ? base.time_ms : ancestors.back()->whole.header.time_ms;

  draft next{cur, 0, {}, {}};
  // Far from anything final, blocks only keep the views going.
  if (ancestors.size() <= view_window && blocks.size() <= 2 * view_window) {
    next.whole.payload =
        access_.payload.next_payload(ancestors, max_block_payload_bytes, max_block_transactions);
  }
  if (next.whole.payload.empty() && !idle_over && now_ms < epoch_end_ms) {
    const auto rest = options.idle_ms - std::min(options.idle_ms, options.block_interval_ms);
    return wait_for_idle(std::min(rest, epoch_end_ms - now_ms));
  }
  auto& h = next.whole.header;
  h.chain = base.chain;
  h.epoch = base.epoch;
  h.view = cur;
  h.height = ancestors.empty() ? base.height.next() : ancestors.back()->whole.header.height.next();
  h.parent_view = parent->view;
  h.parent = parent->parent;
  h.time_ms = std::max(now_ms, parent_time + 1);
  h.proposer = *seat;
  std::size_t size = 0;
  for (const auto& t : next.whole.payload) size += payload_size(t);
  SOMA_ASSERT(
      size <= max_block_payload_bytes && next.whole.payload.size() <= max_block_transactions,
      "a payload source keeps to its limits");
  h.payload_bytes = static_cast<std::uint32_t>(size);
  h.transactions = static_cast<std::uint32_t>(next.whole.payload.size());
  next.parent = parent_certificate(h);
  if (next.parent) next.whole.parent_signers = next.parent->signers;
  h.payload_root = crypto::payload_root(next.whole.payload, next.whole.parent_signers);
  next.ticket = next_ticket++;
  out.push_back(
      execute{next.ticket, std::make_shared<const named_block>(named_block{{}, next.whole}), true});
  drafting = std::move(next);
}

/// What shows that the parent may be built on, with every vote that came for it so far: all who
/// signed are paid.
std::optional<certificate> simplex::core::parent_certificate(const block_header& h) const {
  if (h.parent == base.block && h.parent_view == base.view) {
    if (base.final && base.final->what.epoch == base.epoch) return base.final;
    return std::nullopt;
  }
  const auto found = views.find(h.parent_view);
  if (found == views.end()) return std::nullopt;
  const auto tally = found->second.notarize.find(h.parent);
  if (tally != found->second.notarize.end() && tally->second.power >= needed_power()) {
    return made_of({vote_kind::notarize, base.epoch, h.parent_view, h.parent}, tally->second);
  }
  const auto* c = found->second.held(vote_kind::notarize);
  if (c == nullptr) c = found->second.held(vote_kind::finalize);
  return c == nullptr ? std::nullopt : std::optional(*c);
}

void simplex::core::propose_filler(const block_id& parent) {
  const auto& p = known(parent)->what->whole.header;
  block whole;
  auto& h = whole.header;
  h = p;
  h.view = cur;
  h.parent_view = p.view;
  h.parent = parent;
  h.payload_bytes = h.transactions = 0;
  h.time_ms = std::max(now_ms, p.time_ms + 1);
  h.proposer = *seat;
  h.flags = block_is_filler;
  h.payload_root = crypto::payload_root({}, {});
  take_own_proposal(std::move(whole), parent_certificate(h));
}

/// Something to put into a block may come meanwhile.
void simplex::core::wait_for_idle(std::uint64_t most_ms) {
  if (std::exchange(idle_armed, true)) return;
  arm(timer_kind::propose, most_ms);
}

void simplex::core::finish_proposal(const execution_result& result) {
  auto ours = std::move(*drafting);
  drafting.reset();
  const auto& parent = ours.whole.header.parent;
  if (ours.view != cur || !may_sign() || (parent != base.block && known(parent) == nullptr)) return;
  if (!result.follows) return raise_alarm("the rules do not take an own proposal");
  ours.whole.header = complete(ours.whole.header, result);
  const auto id = crypto::id_of(ours.whole.header);
  take_own_proposal(std::move(ours.whole), std::move(ours.parent));
  auto& mine = blocks.at(id);
  mine.execution = tree_block::stage::done;
  mine.result = result;
}

/// From here on this block, and no other, is this view's proposal.
void simplex::core::take_own_proposal(block whole, std::optional<certificate> parent) {
  const auto id = crypto::id_of(whole.header);
  whole.by_proposer = access_.key.sign_block(id);
  const auto what = std::make_shared<const named_block>(named_block{id, std::move(whole)});
  keep(what);
  auto& state = views[cur];
  state.mine.proposal = id;
  if (parent) unsaved.certificates.push_back(*parent);  // with all signers that the block names
  state.mine.parent = std::move(parent);
  state.proposals.push_back({what});
  unsaved.proposed.emplace_back(cur, id);
  save_path(id);
  decided = true;
}

void simplex::core::send_proposal(std::uint64_t view, const std::vector<peer_number>& to) {
  const auto found = views.find(view);
  if (found == views.end() || !found->second.mine.proposal_durable) return;
  const auto* mine = known(*found->second.mine.proposal);
  if (mine == nullptr) return;
  peer::proposal p;
  p.what = mine->what;
  const auto& h = mine->what->whole.header;
  p.parent = found->second.mine.parent ? found->second.mine.parent : shown_again(mine->what->whole);
  if (!p.parent && !mine->what->whole.parent_signers.empty()) return;  // nobody would vote for it
  const auto from =
      std::max(h.parent_view + 1, h.view - std::min<std::uint64_t>(h.view, max_inline_skips));
  for (auto v = from; v < h.view; ++v) {
    if (const auto* c = held(v, vote_kind::skip)) p.skipped.push_back(*c);
  }
  tell(to, std::move(p));
}

/// After a restart: the certificate that names exactly the block's signers of its parent.
std::optional<certificate> simplex::core::shown_again(const block& whole) const {
  const auto& h = whole.header;
  for (const auto kind : {vote_kind::notarize, vote_kind::finalize}) {
    const auto* c = held(h.parent_view, kind);
    if (c == nullptr || c->what.block != h.parent) continue;
    if (whole.parent_signers.empty() || c->signers == whole.parent_signers) return *c;
  }
  if (base.final && h.parent == base.block &&
      (whole.parent_signers.empty() || base.final->signers == whole.parent_signers)) {
    return base.final;
  }
  return std::nullopt;
}

/// R4.
void simplex::core::try_notarize() {
  if (!may_sign()) return;
  auto& state = views[cur];
  const bool again = broken(mutation::notarizes_twice) && state.proposals.size() == 2 &&
                     state.mine.notarize == state.proposals.front().what->id;
  if (state.mine.notarize && !again) return;
  for (auto& p : state.proposals) {
    const auto& h = p.what->whole.header;
    if (p.refused) {
      view_over = true;  // R8: nothing good comes of this view
      continue;
    }
    if (again != (&p != &state.proposals.front())) {
      if (again) continue;
      break;
    }  // the second is there as evidence alone
    if (!is_justified(h)) continue;
    if (h.time_ms > now_ms + options.drift_ms && !broken(mutation::future_time_accepted)) {  // R13
      arm(timer_kind::hold, h.time_ms - now_ms - options.drift_ms);
      continue;
    }
    const auto ready = prepare(p.what->id);
    if (ready == readiness::wrong) {
      p.refused = view_over = true;
    } else if (ready == readiness::ready) {
      return decide(vote_kind::notarize, cur, p.what->id);
    }
  }
}

}  // namespace soma::consensus
