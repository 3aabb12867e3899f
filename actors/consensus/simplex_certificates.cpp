// Certificates: taken in once of each kind a view, relayed once, and what follows from them.
#include "actors/consensus/certificates.hpp"

#include <algorithm>

#include "actors/consensus/simplex_core.hpp"

namespace soma::consensus {

const certificate* simplex::core::held(std::uint64_t view, vote_kind kind) const {
  const auto found = views.find(view);
  return found == views.end() ? nullptr : found->second.held(kind);
}

certificate simplex::core::made_of(const vote_statement& what, const vote_tally& tally) const {
  certificate c{what, tally.signers, {}};
  for (const auto& [who, by_signer] : tally.signatures) c.signatures.push_back(by_signer);
  return c;
}

/// Whether a certificate of this epoch holds. Signatures that were counted as votes already are not
/// verified once more.
bool simplex::core::holds(const certificate& c) {
  const auto fine = check_shape(c, members);
  if (!fine && (fine.error() != certificate_refusal::power_too_low ||
                members.power_of(c.signers) < needed_power())) {
    return false;
  }
  const vote_tally* tally = nullptr;
  if (const auto found = views.find(c.what.view); found != views.end()) {
    const auto& state = found->second;
    const auto& of_kind = c.what.kind == vote_kind::finalize ? state.finalize : state.notarize;
    if (c.what.kind == vote_kind::skip) tally = &state.skip;
    if (const auto of_block = of_kind.find(c.what.block);
        tally == nullptr && of_block != of_kind.end()) {
      tally = &of_block->second;
    }
  }
  std::size_t at = 0;
  for (const auto who : c.signers.members()) {
    const auto& by_signer = c.signatures[at++];
    if (tally != nullptr) {
      const auto counted = tally->signatures.find(who);
      if (counted != tally->signatures.end() && counted->second == by_signer) continue;
    }
    if (!access_.checker.vote_is_signed(members.key_of(who), c.what, by_signer) &&
        !broken(mutation::certificate_unchecked)) {
      return false;
    }
  }
  return true;
}

/// R0: the own signature in a certificate, of what this process has never said.
void simplex::core::look_for_twin(const certificate& c) {
  if (!seat || fenced() || c.what.view < first_own_view || !c.signers.has(*seat)) return;
  const auto who = c.signers.members();
  const auto at = static_cast<std::size_t>(std::find(who.begin(), who.end(), *seat) - who.begin());
  if (at >= c.signatures.size() || is_mine({c.what, *seat, {}})) return;
  if (access_.checker.vote_is_signed(members.key_of(*seat), c.what, c.signatures[at])) twin_seen();
}

/// R6, of one that came from a peer. False: it is not a certificate of this epoch that holds.
bool simplex::core::take_certificate(peer_number from, const certificate& c) {
  if (c.what.epoch != base.epoch) return false;
  if (c.what.view <= base.view) return true;
  look_for_twin(c);
  auto known_view = views.find(c.what.view);
  const auto* mine = known_view == views.end() ? nullptr : known_view->second.held(c.what.kind);
  if (mine != nullptr && mine->what == c.what) {
    known_view->second.shown[c.what.kind].insert(from);
    return true;
  }
  if (!holds(c)) {
    out.push_back(blame{from, "a certificate that does not hold"});
    return false;
  }
  on_certificate(c, from);
  return true;
}

/// R6. One that holds.
void simplex::core::on_certificate(const certificate& c, std::optional<peer_number> from) {
  const auto& [kind, epoch, view, block] = c.what;
  auto& state = views[view];
  if (const auto* mine = state.held(kind)) {
    if (mine->what != c.what)
      raise_alarm("two certificates of one kind in view " + std::to_string(view));
    return;
  }
  const auto other = kind == vote_kind::notarize ? vote_kind::finalize : vote_kind::notarize;
  if (const auto* final_or_not = state.held(other);
      kind != vote_kind::skip && final_or_not != nullptr && final_or_not->what.block != block) {
    raise_alarm("one block notarized, another one final in view " + std::to_string(view));
  }
  if (const auto* b = known(block);
      b != nullptr && b->execution == tree_block::stage::wrong && kind != vote_kind::skip) {
    raise_alarm("block " + block.text() + " is certified and executes differently here");
  }
  state.certificates.emplace(kind, c);
  if (kind != vote_kind::skip) block_views.insert(c.what.view);
  unsaved.certificates.push_back(c);
  auto& shown = state.shown[kind];
  if (from) shown.insert(*from);
  std::vector<peer_number> others;
  for (const auto p : peers) {
    if (shown.insert(p).second) others.push_back(p);
  }
  if (!others.empty()) tell(std::move(others), peer::certified{c});
  if (view >= cur) enter(view + 1);
}

}  // namespace soma::consensus
