#include "actors/rules/execution.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "actors/ledger/queries.hpp"
#include "actors/ledger/state_lists.hpp"
#include "actors/rules/agenda.hpp"
#include "actors/rules/committee.hpp"
#include "actors/rules/difficulty.hpp"
#include "actors/rules/emission.hpp"
#include "actors/rules/epoch.hpp"
#include "actors/rules/fees.hpp"
#include "actors/rules/genesis_state.hpp"
#include "actors/rules/onion.hpp"

namespace soma::rules {
namespace {

// Protocol §11.6.
void list_models(block_run& run) {
  // A model whose next version becomes active leaves and joins in one block: it stays.
  std::map<hash256, std::pair<bool, bool>> listed;  // before the block, after it
  for (const auto& change : run.registry) {
    const auto id = change.version.model.as<hash_tag>();
    listed.try_emplace(id, !change.active, change.active).first->second.second = change.active;
  }
  std::set<hash256> left;
  std::vector<hash256> joined;
  for (const auto& [id, was_and_is] : listed) {
    const auto [was, is] = was_and_is;
    if (was && !is) left.insert(id);
    if (is && !was) joined.push_back(id);
  }
  ledger::update_list(run.state, list_kind::active_models, left, joined);
}

void list_targets(block_run& run, std::span<const wanted_draw> opening) {
  std::set<hash256> left;
  for (const auto& id : run.filled) left.insert(id.as<hash_tag>());
  for (const auto& id : run.expired) left.insert(id.as<hash_tag>());
  std::vector<hash256> joined;
  for (const auto& draw : opening) joined.push_back(draw.id.as<hash_tag>());
  std::ranges::sort(joined);
  ledger::update_list(run.state, list_kind::open_targets, left, joined);
}

}  // namespace

struct execution::parts {
  parts(const block_input& block, const ledger::state_reader& base, const genesis& genesis)
      : parameters(genesis.parameters), state(base), run{state, parameters, block.height} {}

  genesis_parameters parameters;
  ledger::block_state state;
  block_run run;
  std::vector<wanted_draw> draws;
  std::vector<candidate> candidates;
  std::vector<transaction_outcome> outcomes;
  std::vector<committee_seat> next_committee;
  bool closes = false;
};

/// Opens what waits. What this block's claims have filled is replaced by the next block, whose
/// entropy nobody knows who claims in this one. Protocol §7.7.
void execution::open_waiting(parts& p, const active_models& active) {
  auto& run = p.run;
  if (run.state.chain().targets_waiting > 0) {
    p.candidates = active.after(run.state);
    if (!p.candidates.empty()) p.draws = pay_for_targets(run);
  }
  if (!run.filled.empty()) {
    run.state.update_chain([&](chain_row& c) { c.targets_waiting += run.filled.size(); });
  }
}

execution::execution(std::unique_ptr<parts> p) : parts_(std::move(p)) {}
execution::execution(execution&&) noexcept = default;
execution& execution::operator=(execution&&) noexcept = default;
execution::~execution() = default;

const std::vector<wanted_draw>& execution::draws() const {
  return parts_->draws;
}
const std::vector<candidate>& execution::candidates() const {
  return parts_->candidates;
}
const std::vector<registry_change>& execution::registry() const {
  return parts_->run.registry;
}
bool execution::closes_epoch() const {
  return parts_->closes;
}
std::uint64_t execution::registry_version() const {
  return parts_->state.chain().registry_version;
}

std::string_view to_text(block_refusal reason) {
  switch (reason) {
    case block_refusal::wrong_height:
      return "the block does not have the next height";
    case block_refusal::time_not_after_parent:
      return "the block's time is not after its parent's";
    case block_refusal::too_many_transactions:
      return "the block has more than 4096 transactions";
    case block_refusal::payload_too_large:
      return "the block's transactions take more than 256 KiB";
    case block_refusal::wrong_peel:
      return "the block does not show the next layer of its proposer's onion";
  }
  return "unknown";
}

std::optional<block_refusal> check_block(const block_input& block, const chain_row& parent,
                                         const ledger::state_reader& state) {
  if (block.height != parent.height.next()) return block_refusal::wrong_height;
  if (block.time_ms <= parent.time_ms) return block_refusal::time_not_after_parent;
  if (block.transactions.size() > max_block_transactions)
    return block_refusal::too_many_transactions;
  std::uint64_t size = 0;
  for (const auto& t : block.transactions) {
    if (t.size_bytes > max_block_payload_bytes) return block_refusal::payload_too_large;
    size += t.size_bytes;
  }
  if (size > max_block_payload_bytes) return block_refusal::payload_too_large;
  const auto onion = ledger::read_onion(state, block.proposer);
  if (!peel_holds(onion, block.height, block.peel)) return block_refusal::wrong_peel;
  return std::nullopt;
}

execution begin_block(const block_input& block, const ledger::state_reader& base,
                      const active_models& active, const genesis& genesis) {
  auto p = std::make_unique<execution::parts>(block, base, genesis);
  auto& run = p->run;
  auto& state = p->state;
  SOMA_ASSERT(!check_block(block, state.chain(), base), "a block is checked before it is executed");
  state.update_chain([&](chain_row& c) {
    c.height = block.height;
    c.last_block = block.parent;
    c.time_ms = block.time_ms;
  });
  peel_onion(run, block.proposer, block.peel);
  // The committee of the previous epoch signed the parent of an epoch's first block, so its
  // signatures are not counted for this one.
  if (block.height != state.chain().epoch_first_block) count_signatures(run, block.signers);
  const chain_id chain = signing::chain_id_of(genesis);
  for (const auto& t : block.transactions) p->outcomes.push_back(run_transaction(run, chain, t));

  p->closes = closes_epoch(state.chain(), p->parameters, block.time_ms);
  if (p->closes) {
    auto end = end_epoch(run, active, block.time_ms);
    p->draws = std::move(end.draws);
    p->candidates = std::move(end.candidates);
    p->next_committee = state.committee().seats;
  } else {
    flow_into_pot(run, block.time_ms);
    end_slices(run, block.time_ms, state.chain().set_aside.value > 0);
    execution::open_waiting(*p, active);
  }
  count_congestion(run);
  if (run.stakes_changed || !run.registry.empty()) {
    state.update_chain([](chain_row& c) { ++c.registry_version; });
  }
  if (p->draws.empty()) p->candidates.clear();
  for (const auto& draw : p->draws) schedule(run, draw.epoch, draw.id);
  list_models(run);
  list_targets(run, p->draws);
  state.commit();
  state.detach();
  return execution(std::move(p));
}

std::optional<draw_refusal> check_draws(const execution& begun, const drawn_targets& drawn) {
  const auto& p = *begun.parts_;
  return check_draws(p.draws, drawn, p.candidates, p.parameters.architecture.dim);
}

effects finish(execution&& begun, const drawn_targets& drawn) {
  const auto p = std::move(begun.parts_);
  SOMA_ASSERT(!check_draws(p->draws, drawn, p->candidates, p->parameters.architecture.dim),
              "draws are checked before a block is finished");
  const auto bonuses = stake_bonuses(p->candidates, p->parameters.stake_bonus_ppm);
  for (std::size_t i = 0; i < p->draws.size(); ++i)
    open_target(p->run, p->draws[i], drawn.targets[i], p->candidates, bonuses);
  SOMA_ASSERT(ledger::total_of(p->state.chain()) == supply_cap, "no shannon is lost or made");
  return {p->state.changes(),          std::move(p->run.events), std::move(p->outcomes),
          std::move(p->run.registry),  p->state.chain(),         p->closes,
          std::move(p->next_committee)};
}

}  // namespace soma::rules
