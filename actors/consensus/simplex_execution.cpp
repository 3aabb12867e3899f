// Blocks above the base and what their execution gave.
#include "actors/consensus/simplex_core.hpp"
#include "messages/crypto/transactions.hpp"
#include "messages/types/assert.hpp"

namespace soma::consensus {

block_header complete(block_header draft, const execution_result& result) {
  draft.state_root = result.root;
  draft.flags = result.closes_epoch ? block_closes_epoch : std::uint16_t{0};
  draft.next_committee =
      result.closes_epoch ? crypto::committee_hash(result.next_committee) : hash256{};
  return draft;
}

const tree_block* simplex::core::known(const block_id& id) const {
  const auto found = blocks.find(id);
  return found == blocks.end() ? nullptr : &found->second;
}

tree_block& simplex::core::keep(const block_ptr& what) {
  const auto [place, is_new] = blocks.try_emplace(what->id);
  if (is_new) place->second.what = what;
  return place->second;
}

bool simplex::core::ends_epoch(const block_id& id) const {
  const auto* b = known(id);
  return b != nullptr &&
         (b->what->whole.header.flags & (block_closes_epoch | block_is_filler)) != 0;
}

/// The ancestor, or the block itself, that nobody has shown yet.
std::optional<block_id> simplex::core::first_missing(const block_id& tip) const {
  for (auto id = tip; id != base.block;) {
    const auto* b = known(id);
    if (b == nullptr) return id;
    if (b->what->whole.header.view <= base.view) return std::nullopt;  // on another chain
    id = b->what->whole.header.parent;
  }
  return std::nullopt;
}

/// Whether the state after this block is known; asks for what is next to be executed on the way to
/// it. One block of a chain runs at a time.
simplex::core::readiness simplex::core::prepare(const block_id& tip) {
  if (tip == base.block) return readiness::ready;
  std::vector<tree_block*> path;  // from the tip down to the last one that is not done
  for (auto id = tip; id != base.block;) {
    const auto found = blocks.find(id);
    if (found == blocks.end()) return readiness::missing;
    auto& b = found->second;
    if (b.execution == tree_block::stage::wrong) return readiness::wrong;
    if (b.execution == tree_block::stage::done) break;
    if (b.what->whole.header.view <= base.view) return readiness::wrong;
    path.push_back(&b);
    id = b.what->whole.header.parent;
  }
  while (!path.empty()) {
    auto& b = *path.back();
    const auto& header = b.what->whole.header;
    if (!fits_parent(header)) {
      b.execution = tree_block::stage::wrong;
      return readiness::wrong;
    }
    if ((header.flags & block_is_filler) == 0) break;
    const auto& parent = *known(header.parent);
    fill_in(b, parent.what->whole.header, parent.result);
    path.pop_back();
  }
  if (path.empty()) return readiness::ready;
  auto& next = *path.back();
  if (next.execution == tree_block::stage::waiting && !execution_stalled) {
    next.execution = tree_block::stage::running;
    const auto ticket = next_ticket++;
    running.emplace(ticket, next.what->id);
    out.push_back(execute{ticket, next.what, false});
  }
  return readiness::waiting;
}

/// E2: a filler changes nothing.
void simplex::core::fill_in(tree_block& filler, const block_header& parent,
                            const execution_result& result) {
  const auto& h = filler.what->whole.header;
  const bool same = h.state_root == parent.state_root &&
                    h.next_committee == parent.next_committee && h.transactions == 0 &&
                    filler.what->whole.parent_signers.empty();
  filler.execution = same ? tree_block::stage::done : tree_block::stage::wrong;
  filler.result = result;
}

void simplex::core::on_executed(const executed& e) {
  if (drafting && drafting->ticket == e.ticket) return finish_proposal(e.result);
  const auto asked_for = running.find(e.ticket);
  if (asked_for == running.end()) return;
  const auto found = blocks.find(asked_for->second);
  running.erase(asked_for);
  if (found == blocks.end()) return;  // the base has moved past it
  auto& b = found->second;
  const auto& h = b.what->whole.header;
  const bool agrees =
      e.result.follows && (complete(h, e.result) == h || broken(mutation::root_unchecked));
  b.execution = agrees ? tree_block::stage::done : tree_block::stage::wrong;
  b.result = e.result;
  if (agrees) return;
  const auto* notarized = held(h.view, vote_kind::notarize);
  if (notarized != nullptr && notarized->what.block == b.what->id) {
    raise_alarm("block " + b.what->id.text() + " is notarized and executes differently here");
  }
}

void simplex::core::on_execution_failed(const execution_failed& e) {
  if (drafting && drafting->ticket == e.ticket) {
    drafting.reset();
  } else if (const auto asked_for = running.find(e.ticket); asked_for != running.end()) {
    const auto found = blocks.find(asked_for->second);
    running.erase(asked_for);
    if (found != blocks.end() && !broken(mutation::execution_not_retried))
      found->second.execution = tree_block::stage::waiting;
  } else {
    return;
  }
  execution_stalled = true;  // until the next look around
  if (!e.parent_forgotten) return;
  for (auto& [id, b] : blocks) {
    if (b.execution == tree_block::stage::done) b.execution = tree_block::stage::waiting;
  }
}

}  // namespace soma::consensus
