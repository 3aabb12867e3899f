// Votes: the decisions of this process, the votes of others that it counts, and the evidence
// against members that contradict themselves.
#include <algorithm>

#include "actors/consensus/simplex_core.hpp"
#include "messages/codec/codec.hpp"
#include "messages/values/assert.hpp"

namespace soma::consensus {

/// Takes a decision. It counts from now on, and it is sent once it is durable.
void simplex::core::decide(vote_kind kind, view_number view, const block_id& block) {
  SOMA_ASSERT(signing.may_sign(), "a decision is made by a process that may sign");
  SOMA_ASSERT(view > base.view && view <= cur, "a decision is about a view that is open");
  auto& state = views[view];
  switch (kind) {
    case vote_kind::notarize:
      state.notarize(block);
      save_path(block);
      break;
    case vote_kind::skip:
      state.skip();
      break;
    case vote_kind::finalize:
      state.finalize();
      SOMA_ASSERT(state.own_finalize() == block, "the block that is finalized is notarized");
      break;
  }
  unsaved.votes.push_back({kind, base.epoch, view, block});
  decided = true;
}

/// Signs a statement as the own vote.
member_vote simplex::core::said(const vote_statement& statement) const {
  return {statement, seat.value_or(seat_index{}), access_.key.sign_vote(statement)};
}

/// Whether this process has decided this vote, sent or not.
bool simplex::core::is_mine(const member_vote& vote) const {
  const auto found = views.find(vote.statement.view);
  return found != views.end() && found->second.has_said(vote.statement.kind, vote.statement.block);
}

/// R5. Takes a vote from a peer. A vote that cannot matter is dropped before its signature is
/// verified, because verifying is expensive. A vote with a wrong signature accuses no member.
void simplex::core::on_vote(peer_number from, const member_vote& vote) {
  const auto& [kind, epoch, view, block] = vote.statement;
  if (epoch != base.epoch || view <= base.view) return;
  note_view_of(from, vote);
  if (view > cur + view_window) return;
  if (!members.has(vote.signer)) return;
  if ((kind == vote_kind::skip) != block.is_zero()) {
    out.push_back(blame{from, "a vote whose block does not fit its kind"});
    return;
  }
  auto& state = views[view];
  if (view + view_window < cur && state.held(vote_kind::skip) != nullptr &&
      state.held(vote_kind::notarize) == nullptr) {
    return;  // forget_old_votes() has forgotten this view
  }
  // A certified view needs no more first votes, unless its block may be the next parent: the
  // signers of a parent are paid.
  const bool settled = state.held(kind) != nullptr;
  if (state.has_counted(vote)) return;
  if (kind == vote_kind::notarize && settled && !state.has_notarized(vote.signer) &&
      view + 1 < cur) {
    return;
  }
  if (!access_.checker.vote_is_signed(members.key_of(vote.signer), vote.statement,
                                      vote.by_signer)) {
    out.push_back(blame{from, "a vote with a wrong signature"});
    return;
  }
  if (seat == vote.signer) return on_own_vote_elsewhere(vote);
  count(vote);
}

/// R5. Counts a member's vote with a valid signature. The first vote of a kind counts; one that
/// contradicts it is evidence. The votes of a quorum make a certificate.
void simplex::core::count(const member_vote& vote) {
  const auto& [kind, epoch, view, block] = vote.statement;
  auto& state = views[view];
  SOMA_ASSERT(epoch == base.epoch && members.has(vote.signer), "a member's vote is counted");
  const auto who = vote.signer;
  const auto counted = state.count(vote, members.power_of(who));
  if (counted.offence_of_signer) {
    return accuse(state, who, *counted.offence_of_signer,
                  {encode(counted.earlier), counted.earlier_signature},
                  {encode(vote.statement), vote.by_signer});
  }
  if (counted.tally == nullptr) return;
  if (kind == vote_kind::skip && who == members.leader(view) && view == cur)
    view_over = true;  // R8
  if (is_quorum(counted.tally->power) && !state.held(kind)) {
    on_certificate(made_of(vote.statement, *counted.tally), std::nullopt);
  }
}

/// R5. Reports two statements of a member that exclude each other, once per offence and view.
void simplex::core::accuse(view_state& state, seat_index member, offence committed,
                           signed_bytes first, signed_bytes second) {
  if (!state.accuse(member, committed)) return;
  out.push_back(report{{members.key_of(member), std::move(first.statement), first.by_member,
                        std::move(second.statement), second.by_member}});
}

/// R0. A peer shows a vote of the own key. If this process does not know the vote, another process
/// votes with the key, or this one cast it before an old copy of its record was put back.
void simplex::core::on_own_vote_elsewhere(const member_vote& vote) {
  if (is_mine(vote) || signing.is_fenced()) return;
  twin_seen();
}

/// R0. Sends a peer that connects the votes of its own key in views that may still matter, because
/// the peer's record may be an old copy.
void simplex::core::send_its_votes(peer_number to, const public_key& key) {
  const auto who = members.seat_of(key);
  if (!who || who == seat) return;
  const auto first = cur.value > view_window ? cur - view_window : view_number{};
  for (auto at = views.lower_bound(first); at != views.end(); ++at) {
    for (const auto& [kind, block, by_signer] : at->second.votes_of(*who)) {
      tell({to}, peer::vote{{{kind, base.epoch, at->first, block}, *who, by_signer}});
    }
  }
}

/// R0. Another process signs with this key, so this one is fenced, and the record remembers the
/// fence. The next epoch begins with listening, because the other process may still run.
void simplex::core::twin_seen() {
  if (!options.yields_to_twin) return;
  signing.see_twin();
  save_fence();
}

/// R0. Puts the fence into the next batch for the record.
void simplex::core::save_fence() {
  SOMA_ASSERT(signing.fenced_before() >= base.epoch, "a fence of the past need not be remembered");
  unsaved.votes_from = signing.fenced_before();
  decided = true;
}

/// R0. Ends the fence of a lost record when an epoch begins in which the key cannot have voted. If
/// the key had voted in this epoch, a quorum would have voted for the end of the last epoch before
/// the record was lost. A quorum that says later that it had not would share an honest member with
/// that first quorum, which is a contradiction. Clocks have no part in this.
void simplex::core::lift_fence() {
  if (!signing.has_lost_record()) return;
  voting_power power;
  for (const auto who : still_here) power += members.power_of(who);
  still_here.clear();
  if (!is_quorum(power)) return;
  signing.forgive_lost_record();
  signing.fence(base.epoch);
  save_fence();
}

/// R8. Skips the present view when its timer has fired or it cannot give a good block.
void simplex::core::try_skip() {
  if (!view_over || !signing.may_sign() || !views[cur].may_skip()) return;
  decide(vote_kind::skip, cur, {});
}

/// R7. Votes to finalize in every view above the base where it may, however old the view is.
void simplex::core::try_finalize() {
  if (!signing.may_sign()) return;
  for (const auto view : block_views) {
    if (!views.at(view).may_finalize()) continue;
    decide(vote_kind::finalize, view, held(view, vote_kind::notarize)->statement.block);
  }
}

}  // namespace soma::consensus
