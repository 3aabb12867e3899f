// Votes: what is decided, what is counted, who contradicts himself.
#include <algorithm>

#include "actors/consensus/simplex_core.hpp"
#include "messages/types/assert.hpp"
#include "messages/types/codec.hpp"

namespace soma::consensus {
namespace {

enum offence : int { two_notarize, two_finalize, skip_and_finalize };

}  // namespace

/// Counts from now on and is said once it is durable.
void simplex::core::decide(vote_kind kind, std::uint64_t view, const block_id& block) {
  auto& mine = views[view].mine;
  const bool late = broken(mutation::decides_when_durable);
  SOMA_ASSERT(may_sign() && view > base.view, "only who may sign decides, above the base");
  switch (kind) {
    case vote_kind::notarize:
      SOMA_ASSERT(!mine.notarize || broken(mutation::notarizes_twice),
                  "one block is notarized a view");
      if (!late) mine.notarize = block;
      save_path(block);
      break;
    case vote_kind::skip:
      SOMA_ASSERT((!mine.finalize || broken(mutation::skips_after_finalize)) && !mine.skip,
                  "nobody skips a view it finalizes in");
      if (!late) mine.skip = true;
      break;
    case vote_kind::finalize:
      SOMA_ASSERT((!mine.skip || broken(mutation::finalizes_after_skip)) && !mine.finalize,
                  "nobody finalizes in a view it skips");
      if (!late) mine.finalize = block;
      break;
  }
  unsaved.votes.push_back({kind, base.epoch, view, block});
  decided = true;
  if (broken(mutation::counts_before_durable)) count(said(unsaved.votes.back()));
}

member_vote simplex::core::said(const vote_statement& what) const {
  return {what, seat.value_or(0), access_.key.sign_vote(what)};
}

bool simplex::core::is_mine(const member_vote& vote) const {
  const auto found = views.find(vote.what.view);
  if (found == views.end()) return false;
  const auto& mine = found->second.mine;
  switch (vote.what.kind) {
    case vote_kind::notarize:
      return mine.notarize == vote.what.block;
    case vote_kind::finalize:
      return mine.finalize == vote.what.block;
    case vote_kind::skip:
      return mine.skip;
  }
  return false;
}

/// R5.
void simplex::core::on_vote(peer_number from, const member_vote& vote) {
  const auto& [kind, epoch, view, block] = vote.what;
  if (epoch != base.epoch || view <= base.view ||
      (view > cur + view_window && !broken(mutation::votes_of_any_view)))
    return;
  if (vote.signer >= members.size()) return;
  if ((kind == vote_kind::skip) != block.is_zero()) {
    out.push_back(blame{from, "a vote that names what its kind does not"});
    return;
  }
  auto& state = views[view];
  if (view + view_window < cur && state.held(vote_kind::skip) != nullptr &&
      state.held(vote_kind::notarize) == nullptr) {
    return;  // see forget_old_votes
  }
  // A view that is certain needs no more votes, but for what may still become final in it.
  const bool settled = state.held(kind) != nullptr;
  if (kind == vote_kind::skip && state.skip.signers.has(vote.signer)) return;
  if (kind == vote_kind::notarize) {
    const auto first = state.first_notarize.find(vote.signer);
    if (first != state.first_notarize.end() && first->second.block == block) return;
    if (settled && first == state.first_notarize.end() && view + 1 < cur) return;
  }
  if (kind == vote_kind::finalize) {
    const auto first = state.first_finalize.find(vote.signer);
    if (first != state.first_finalize.end() && first->second.block == block) return;
  }
  if (!broken(mutation::vote_signature_unchecked) &&
      !access_.checker.vote_is_signed(members.key_of(vote.signer), vote.what, vote.by_signer)) {
    out.push_back(blame{from, "a vote with a wrong signature"});
    return;
  }
  if (seat == vote.signer) return on_own_vote_elsewhere(vote);
  count(vote);
}

/// Signed and of a member. The first of a kind counts; one that contradicts it is evidence.
void simplex::core::count(const member_vote& vote) {
  const auto& [kind, epoch, view, block] = vote.what;
  auto& state = views[view];
  const auto who = vote.signer;
  const auto accuse_of = [&](int what, vote_kind other_kind, const first_vote& other) {
    accuse(who, state, what,
           encode(vote_statement{other_kind, vote.what.epoch, vote.what.view, other.block}),
           other.by_signer, encode(vote.what), vote.by_signer);
  };
  vote_tally* tally = &state.skip;
  if (kind == vote_kind::notarize) {
    const auto [first, is_new] =
        state.first_notarize.try_emplace(who, first_vote{block, vote.by_signer});
    if (!is_new) {
      if (first->second.block != block) accuse_of(two_notarize, vote_kind::notarize, first->second);
      return;
    }
    tally = &state.notarize[block];
  } else if (kind == vote_kind::finalize) {
    if (const auto skipped = state.skip.signatures.find(who);
        skipped != state.skip.signatures.end()) {
      return accuse_of(skip_and_finalize, vote_kind::skip, {{}, skipped->second});
    }
    const auto [first, is_new] =
        state.first_finalize.try_emplace(who, first_vote{block, vote.by_signer});
    if (!is_new) {
      if (first->second.block != block) accuse_of(two_finalize, vote_kind::finalize, first->second);
      return;
    }
    tally = &state.finalize[block];
  } else if (const auto first = state.first_finalize.find(who);
             first != state.first_finalize.end()) {
    return accuse_of(skip_and_finalize, vote_kind::finalize, first->second);
  }
  if (tally->signers.has(who)) return;
  tally->signers.add(who);
  tally->signatures.emplace(who, vote.by_signer);
  tally->power += members.power_of(who);
  if (kind == vote_kind::skip && who == members.leader(view) && view == cur)
    view_over = true;  // R8
  if (tally->power >= needed_power() && !state.held(kind)) {
    on_certificate(made_of(vote.what, *tally), std::nullopt);
  }
}

void simplex::core::accuse(std::uint16_t who, view_state& state, int what, bytes first,
                           const signature& first_signature, bytes second,
                           const signature& second_signature) {
  if (!state.accused.insert({who, what}).second) return;
  if (broken(mutation::contradictions_not_reported)) return;
  out.push_back(report{{members.key_of(who), std::move(first), first_signature, std::move(second),
                        second_signature}});
}

/// R0: somebody votes with this key, or did before a backup was restored.
void simplex::core::on_own_vote_elsewhere(const member_vote& vote) {
  if (is_mine(vote) || fenced()) return;
  twin_seen();
}

/// R0, the other side of it: whoever comes back hears what its key has said where that may still
/// matter. It may have been restored from a copy that is older.
void simplex::core::tell_its_votes(peer_number to, const public_key& key) {
  const auto who = members.seat_of(key);
  if (!who || who == seat) return;
  const auto first = cur > view_window ? cur - view_window : 0;
  for (auto at = views.lower_bound(first); at != views.end(); ++at) {
    const auto& state = at->second;
    const auto tell_one = [&](vote_kind kind, const block_id& block, const signature& s) {
      tell({to}, peer::vote{{{kind, base.epoch, at->first, block}, *who, s}});
    };
    const auto notarized = state.first_notarize.find(*who);
    if (notarized != state.first_notarize.end())
      tell_one(vote_kind::notarize, notarized->second.block, notarized->second.by_signer);
    const auto finalized = state.first_finalize.find(*who);
    if (finalized != state.first_finalize.end())
      tell_one(vote_kind::finalize, finalized->second.block, finalized->second.by_signer);
    const auto skipped = state.skip.signatures.find(*who);
    if (skipped != state.skip.signatures.end()) tell_one(vote_kind::skip, {}, skipped->second);
  }
}

/// Fenced, and the next epoch begins with listening again: the other one may still be there.
void simplex::core::twin_seen() {
  if (broken(mutation::signs_beside_twin)) return;
  listens_again = true;
  votes_from = std::max(votes_from, base.epoch.next());
  unsaved.votes_from = votes_from;
  decided = true;
}

/// R0, when an epoch begins for one that lost its record. If its key has ever voted in this epoch,
/// a quorum had voted for the end of the last one before the record was lost; any quorum that says
/// later that it has not, shares an honest member with it. Clocks have no part in this.
void simplex::core::lift_fence() {
  if (!forgot) return;
  std::uint32_t power = 0;
  for (const auto who : still_here) power += members.power_of(who);
  still_here.clear();
  if (power < quorum && !broken(mutation::fence_ends_unasked)) return;
  forgot = false;
  votes_from = std::max(votes_from, base.epoch);
  unsaved.votes_from = votes_from;
  decided = true;
}

/// R8.
void simplex::core::try_skip() {
  if (!view_over || !may_sign()) return;
  const auto view = view_to_skip();
  const auto& mine = views[view].mine;
  if (mine.skip || (mine.finalize && view == cur)) return;
  decide(vote_kind::skip, view, {});
}

/// R7, of every view in which it is still open.
void simplex::core::try_finalize() {
  if (!may_sign()) return;
  for (const auto view : block_views) {
    const auto* notarized = held(view, vote_kind::notarize);
    if (notarized == nullptr) continue;
    const auto& mine = views.at(view).mine;
    if (mine.notarize != notarized->what.block && !broken(mutation::finalizes_unvoted)) continue;
    if ((mine.skip && !broken(mutation::finalizes_after_skip)) || mine.finalize) continue;
    decide(vote_kind::finalize, view, notarized->what.block);
  }
}

}  // namespace soma::consensus
