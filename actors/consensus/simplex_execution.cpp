// Blocks above the base and their executions.
#include "actors/consensus/simplex_core.hpp"
#include "messages/signing/signing.hpp"
#include "messages/values/assert.hpp"

namespace soma::consensus {

block_header complete(block_header draft, const execution_result& result) {
  draft.state_root = result.root;
  draft.flags = result.closes_epoch ? block_closes_epoch : std::uint16_t{0};
  draft.next_committee =
      result.closes_epoch ? signing::committee_hash(result.next_committee) : hash256{};
  draft.peel = result.peel;
  return draft;
}

const tree_block* simplex::core::known(const block_id& id) const {
  const auto found = blocks.find(id);
  return found == blocks.end() ? nullptr : &found->second;
}

/// Keeps a block above the base under its id.
tree_block& simplex::core::keep(const block_ptr& block) {
  SOMA_ASSERT(block != nullptr, "a block is kept");
  const auto [place, is_new] = blocks.try_emplace(block->id);
  if (is_new) place->second.block = block;
  return place->second;
}

/// E2. Whether the epoch is over after this block: it closes the epoch, or it is a filler.
bool simplex::core::ends_epoch(const block_id& id) const {
  const auto* b = known(id);
  return b != nullptr &&
         (b->block->block.header.flags & (block_closes_epoch | block_is_filler)) != 0;
}

/// R11. The nearest missing one of the block and its ancestors. nullopt when all blocks down to the
/// base are here, or when the chain does not stand on the base.
std::optional<block_id> simplex::core::first_missing(const block_id& tip) const {
  for (auto id = tip; id != base.block;) {
    const auto* b = known(id);
    if (b == nullptr) return id;
    if (b->block->block.header.view <= base.view) return std::nullopt;  // it is on another chain
    id = b->block->block.header.parent;
  }
  return std::nullopt;
}

/// R4. Whether the state after this block is known. If it is not, the next block on the way to it
/// is given out for execution. At most one block of a chain is executed at a time.
simplex::core::readiness simplex::core::prepare(const block_id& tip) {
  if (tip == base.block) return readiness::ready;
  std::vector<tree_block*> path;  // from the tip down to the lowest block that is not executed
  for (auto id = tip; id != base.block;) {
    const auto found = blocks.find(id);
    if (found == blocks.end()) return readiness::missing;
    auto& b = found->second;
    if (b.execution == tree_block::stage::wrong) return readiness::wrong;
    if (b.execution == tree_block::stage::done) break;
    if (b.block->block.header.view <= base.view) return readiness::wrong;
    path.push_back(&b);
    id = b.block->block.header.parent;
  }
  while (!path.empty()) {
    auto& b = *path.back();
    const auto& header = b.block->block.header;
    if (!fits_parent(header)) {
      b.execution = tree_block::stage::wrong;
      return readiness::wrong;
    }
    if ((header.flags & block_is_filler) == 0) break;
    const auto& parent = *known(header.parent);
    fill_in(b, parent.block->block.header, parent.result);
    path.pop_back();
  }
  if (path.empty()) return readiness::ready;
  auto& next = *path.back();
  if (next.execution == tree_block::stage::waiting && !execution_stalled) {
    next.execution = tree_block::stage::running;
    const auto ticket = next_ticket++;
    running.emplace(ticket, next.block->id);
    out.push_back(execute{ticket, next.block, false});
  }
  return readiness::waiting;
}

/// E2. Executes a filler, which has the state of its parent and no transactions.
void simplex::core::fill_in(tree_block& filler, const block_header& parent,
                            const execution_result& result) {
  const auto& h = filler.block->block.header;
  SOMA_ASSERT((h.flags & block_is_filler) != 0, "any other block is executed");
  const bool same = h.state_root == parent.state_root && h.peel == parent.peel &&
                    h.next_committee == parent.next_committee && h.transactions == 0 &&
                    filler.block->block.parent_signers.empty();
  filler.execution = same ? tree_block::stage::done : tree_block::stage::wrong;
  filler.result = result;
}

/// R4, R12. An execution is done. Its result is what the header says, or the block is wrong here.
/// If a quorum notarized a block that is wrong here, that quorum or this process errs, so the alarm
/// is raised.
void simplex::core::on_executed(const executed& e) {
  if (drafting && drafting->ticket == e.ticket) return finish_proposal(e.result);
  const auto asked_for = running.find(e.ticket);
  if (asked_for == running.end()) return;
  const auto found = blocks.find(asked_for->second);
  running.erase(asked_for);
  if (found == blocks.end()) return;  // the base has moved past this block
  auto& b = found->second;
  const auto& h = b.block->block.header;
  const bool agrees = e.result.follows && complete(h, e.result) == h;
  b.execution = agrees ? tree_block::stage::done : tree_block::stage::wrong;
  b.result = e.result;
  if (agrees) return;
  const auto* notarized = held(h.view, vote_kind::notarize);
  if (notarized != nullptr && notarized->statement.block == b.block->id) {
    raise_alarm("block " + b.block->id.text() + " is notarized and executes differently here");
  }
}

/// An execution could not be finished now. It is tried again after the next fetch timer. If the
/// results of its ancestors are gone, they are executed again first.
void simplex::core::on_execution_failed(const execution_failed& e) {
  if (drafting && drafting->ticket == e.ticket) {
    drafting.reset();
  } else if (const auto asked_for = running.find(e.ticket); asked_for != running.end()) {
    const auto found = blocks.find(asked_for->second);
    running.erase(asked_for);
    if (found != blocks.end()) found->second.execution = tree_block::stage::waiting;
  } else {
    return;
  }
  execution_stalled = true;  // until the next fetch timer
  if (!e.parent_forgotten) return;
  for (auto& [id, b] : blocks) {
    if (b.execution == tree_block::stage::done) b.execution = tree_block::stage::waiting;
  }
}

}  // namespace soma::consensus
