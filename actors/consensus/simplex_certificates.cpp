// Certificates (R6): the core keeps one of each kind for a view, and passes each on to a few peers.
#include "actors/consensus/certificates.hpp"

#include <algorithm>

#include "actors/consensus/simplex_core.hpp"
#include "messages/values/assert.hpp"

namespace soma::consensus {

const certificate* simplex::core::held(view_number view, vote_kind kind) const {
  const auto found = views.find(view);
  return found == views.end() ? nullptr : found->second.held(kind);
}

/// R5. Makes a certificate from the votes of a tally.
certificate simplex::core::made_of(const vote_statement& statement, const vote_tally& tally) const {
  SOMA_ASSERT(is_quorum(tally.power), "a certificate is made of a quorum's votes");
  certificate c{statement, tally.signers, {}};
  for (const auto& [who, by_signer] : tally.signatures) c.signatures.push_back(by_signer);
  return c;
}

/// R6. Whether a certificate of this epoch is valid. Signatures that were counted as votes before
/// are not verified again.
bool simplex::core::holds(const certificate& c) {
  if (!check_shape(c, members)) return false;
  const vote_tally* tally = nullptr;
  if (const auto found = views.find(c.statement.view); found != views.end()) {
    tally = found->second.tally(c.statement.kind, c.statement.block);
  }
  std::size_t at = 0;
  for (const auto who : c.signers.members()) {
    const auto& by_signer = c.signatures[at++];
    if (tally != nullptr) {
      const auto counted = tally->signatures.find(who);
      if (counted != tally->signatures.end() && counted->second == by_signer) continue;
    }
    if (!access_.checker.vote_is_signed(members.key_of(who), c.statement, by_signer)) {
      return false;
    }
  }
  SOMA_ASSERT(at == c.signatures.size(), "a certificate has a signature for each signer");
  return true;
}

/// R0. Looks in a certificate for the own signature under a statement that this process never made.
/// Views before first_own_view are left out, because votes in them may be lost without harm.
void simplex::core::look_for_twin(const certificate& c) {
  if (!seat || signing.is_fenced() || c.statement.view < first_own_view || !c.signers.has(*seat))
    return;
  const auto who = c.signers.members();
  const auto at = static_cast<std::size_t>(std::find(who.begin(), who.end(), *seat) - who.begin());
  if (at >= c.signatures.size() || is_mine({c.statement, *seat, {}})) return;
  if (access_.checker.vote_is_signed(members.key_of(*seat), c.statement, c.signatures[at]))
    twin_seen();
}

/// R6. Takes a certificate from a peer. False when it is of another epoch or not valid.
bool simplex::core::take_certificate(peer_number from, const certificate& c) {
  if (c.statement.epoch != base.epoch) return false;
  if (c.statement.view <= base.view) return true;
  look_for_twin(c);
  auto known_view = views.find(c.statement.view);
  const auto* mine =
      known_view == views.end() ? nullptr : known_view->second.held(c.statement.kind);
  if (mine != nullptr && mine->statement == c.statement) {
    known_view->second.note_shown(c.statement.kind, from);
    return true;
  }
  if (!holds(c)) {
    out.push_back(blame{from, "a certificate that does not hold"});
    return false;
  }
  on_certificate(c, from);
  return true;
}

/// R6, R12. Keeps a valid certificate, passes it on, and enters the view after it. Two certificates
/// that contradict each other raise the alarm.
void simplex::core::on_certificate(const certificate& c, std::optional<peer_number> from) {
  const auto& [kind, epoch, view, block] = c.statement;
  SOMA_ASSERT(epoch == base.epoch && view > base.view, "a certificate that still matters");
  auto& state = views[view];
  if (const auto* mine = state.held(kind)) {
    if (mine->statement != c.statement)
      raise_alarm("two certificates of one kind in view " + std::to_string(view.value));
    return;
  }
  const auto other = kind == vote_kind::notarize ? vote_kind::finalize : vote_kind::notarize;
  if (const auto* final_or_not = state.held(other); kind != vote_kind::skip &&
                                                    final_or_not != nullptr &&
                                                    final_or_not->statement.block != block) {
    raise_alarm("one block notarized, another one final in view " + std::to_string(view.value));
  }
  if (const auto* b = known(block);
      b != nullptr && b->execution == tree_block::stage::wrong && kind != vote_kind::skip) {
    raise_alarm("block " + block.text() + " is certified and executes differently here");
  }
  state.keep(c);
  if (kind != vote_kind::skip) block_views.insert(c.statement.view);
  unsaved.certificates.push_back(c);
  if (from) state.note_shown(kind, *from);
  pass_on(c, state);
  if (view >= cur) enter(view + 1);
}

/// R6. Sends a new certificate to a few members and to all peers without a seat, except those that
/// have shown it. All members have the votes of all others as a rule, so they make the certificate
/// themselves. The members that get it lie next to each other in the order of seats, at a distance
/// from the own seat that changes with the view. So each member gets it from as many others as it
/// is sent to, and a member that misses votes again and again gets it from all others in turn.
void simplex::core::pass_on(const certificate& c, view_state& state) {
  const auto size = members.size();
  const auto turn = c.statement.view.value % std::max<std::size_t>(size - 1, 1);
  const auto first = (seat.value_or(seat_index{}).value + 1 + turn) % size;
  std::vector<std::pair<std::size_t, peer_number>> by_distance;
  std::vector<peer_number> to;
  for (const auto p : peers) {
    if (state.has_shown(c.statement.kind, p)) continue;
    if (const auto who = members.seat_of(keys.at(p)))
      by_distance.emplace_back((who->value + size - first) % size, p);
    else
      to.push_back(p);
  }
  std::ranges::sort(by_distance);
  if (by_distance.size() > relayed_to) by_distance.resize(relayed_to);
  for (const auto& [distance, p] : by_distance) to.push_back(p);
  for (const auto p : to) state.note_shown(c.statement.kind, p);
  if (!to.empty()) tell(std::move(to), peer::certified{c});
}

}  // namespace soma::consensus
