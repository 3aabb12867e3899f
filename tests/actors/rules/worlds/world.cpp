#include "tests/actors/rules/worlds/world.hpp"

#include <algorithm>

#include "actors/ledger/queries.hpp"
#include "actors/rules/epoch.hpp"
#include "actors/rules/fees.hpp"
#include "actors/rules/genesis_state.hpp"
#include "messages/signing/signing.hpp"
#include "tests/actors/rules/dice.hpp"
#include "tests/actors/rules/worlds/people.hpp"
#include "tests/actors/rules/worlds/violation.hpp"

namespace soma::test {
namespace {

/// Points and distances from the seed alone. It matters only that all replicas get the same.
rules::drawn_targets draw(const rules::execution& begun, std::uint32_t dim) {
  rules::drawn_targets drawn;
  if (begun.draws().empty()) return drawn;
  for (const auto& c : begun.candidates()) drawn.models.push_back(c.model);
  for (const auto& wanted : begun.draws()) {
    dice d{wanted.seed};
    rules::drawn_target t;
    t.seed = wanted.seed;
    for (std::uint32_t i = 0; i < dim; ++i) t.point.push_back(static_cast<float>(d.below(100)));
    for (std::size_t i = 0; i < drawn.models.size(); ++i)
      t.distances_q30.push_back(static_cast<std::uint32_t>(d.below((1ull << 31) + 1)));
    drawn.targets.push_back(std::move(t));
  }
  return drawn;
}

// gcc 12 warns without cause about comparing vectors of bytes.
std::string_view text(const bytes& data) {
  return {reinterpret_cast<const char*>(data.data()), data.size()};
}

bool is_sorted_and_unique(const std::vector<row_change>& changes) {
  return std::adjacent_find(changes.begin(), changes.end(), [](const auto& a, const auto& b) {
           return text(a.key) >= text(b.key);
         }) == changes.end();
}

}  // namespace

world::world(std::uint64_t seed, const soma::genesis& genesis, const strictness& how)
    : seed_(seed),
      genesis_(genesis),
      how_(how),
      chain_(signing::chain_id_of(genesis)),
      invariants_(genesis) {
  const auto rows = rules::genesis_rows(genesis);
  rows_.apply(rows, true);
  active_ = rules::active_models(rows_);
  if (how.tree_every != 0) {
    tree_ = std::make_unique<state_tree::tree>();
    tree_->apply(rows);
  }
  invariants_.begin(rows_);
  recount();
  ++seen_.worlds;
}

void world::take(const step& what) {
  switch (what.kind) {
    case step::what::send:
      return send(what);
    case step::what::replay:
      return replay(what);
    case step::what::block:
      return run_block(what);
  }
}

void world::send(const step& what) {
  const auto& sender = everybody()[what.sender];
  const auto* account = rows_.accounts.find(sender.where);
  const auto next =
      queued_.try_emplace(sender.where, account != nullptr ? account->nonce : 0).first;
  transaction t;
  t.chain = chain_;
  if (what.wrong_chain) t.chain.value[0] ^= 1;
  t.sender = sender.keys.public_half();
  t.nonce = next->second + static_cast<std::uint64_t>(what.nonce_off);
  t.expiry = {rows_.chain.epoch.value + static_cast<std::uint64_t>(what.expiry_off)};
  t.kind = what.body;
  rules::block_transaction made{name_of_transaction(seed_, what.serial), std::move(t),
                                what.size_bytes, what.known};
  if (what.known == rules::refusal::malformed) made.body.reset();
  if (what.nonce_off == 0 && !what.known && !what.wrong_chain && what.expiry_off >= 0)
    ++next->second;
  sent_[what.serial] = made;
  queue_.push_back(std::move(made));
}

void world::replay(const step& what) {
  const auto found = sent_.find(what.serial);
  if (found != sent_.end()) queue_.push_back(found->second);
}

std::vector<address> world::signers(const step& what) const {
  std::vector<address> who;
  for (const auto& seat : rows_.committee().seats) {
    const auto person = person_at(seat.member);
    if (person && (what.absent >> *person & 1) != 0) continue;
    who.push_back(seat.member);
  }
  if (what.odd_signers) {
    if (!who.empty()) who.push_back(who.front());
    who.push_back(id_from<address>(what.time_step_ms));
    std::reverse(who.begin(), who.end());
  }
  return who;
}

/// The first seat from `from` on that has a layer to peel, or no onion. If none has, the block is
/// nobody's: the rules do not know who may lead.
void world::choose_proposer(rules::block_input& block, std::size_t from) const {
  const auto& seats = rows_.committee().seats;
  for (std::size_t i = 0; i < seats.size(); ++i) {
    const auto& key = seats[(from + i) % seats.size()].consensus_key;
    if (const auto peel = peel_at(ledger::read_onion(rows_, key), key_at(key), block.height)) {
      block.proposer = key;
      block.peel = *peel;
      return;
    }
  }
}

/// No other peel can follow, and what a block adds to the entropy depends on its peel alone.
void world::check_peel(const rules::block_input& block) const {
  const auto& chain = rows_.chain;
  must(chain.entropy == signing::entropy_after(rows_.chain_before.entropy, block.peel),
       "the entropy follows from the peels alone");
  if (block.peel != hash256{}) {
    must(ledger::read_onion(rows_, block.proposer)->layer == block.peel, "a layer is peeled once");
  }
  must(chain.epoch == rows_.chain_before.epoch ||
           (chain.leader_seed == rows_.chain_before.next_leader_seed &&
            chain.next_leader_seed == chain.entropy),
       "an epoch's leaders follow from the entropy at the end of the one before the last");
}

rules::block_input world::next_block(const step& what) {
  if (what.shuffle != 0) {
    dice d{what.shuffle};
    for (std::size_t k = queue_.size(); k > 1; --k) std::swap(queue_[k - 1], queue_[d.below(k)]);
  }
  rules::block_input block;
  block.height = rows_.chain.height.next();
  block.time_ms = rows_.chain.time_ms + std::max<std::uint64_t>(1, what.time_step_ms);
  block.parent = name_of_block(seed_, rows_.chain.height);
  block.signers = signers(what);
  choose_proposer(block, what.proposer);
  block.transactions.swap(queue_);
  if (block.transactions.size() > 800) block.transactions.resize(800);
  queued_.clear();
  return block;
}

rules::effects world::execute(const rules::block_input& block,
                              const rules::active_models& active) const {
  must(!rules::check_block(block, rows_.chain, rows_), "the block follows its parent");
  auto other = block;
  other.peel.value[31] ^= 1;
  must(rules::check_block(other, rows_.chain, rows_) == rules::block_refusal::wrong_peel,
       "one peel follows and no other");
  auto begun = rules::begin_block(block, rows_, active, genesis_);
  const auto drawn = draw(begun, genesis_.parameters.architecture.dim);
  must(!rules::check_draws(begun, drawn), "a draw of all candidates fits");
  return rules::finish(std::move(begun), drawn);
}

void world::run_block(const step& what) {
  const auto block = next_block(what);
  auto done = execute(block, active_);
  must(is_sorted_and_unique(done.changes), "changes are sorted by key, each once");
  const auto turn = [&](std::uint64_t every) {
    return every != 0 && block.height.value % every == 0;
  };
  if (turn(how_.twin_every)) check_twin(block, done);
  if (turn(how_.without_every)) check_without(block, done);
  rows_.apply(done.changes, turn(how_.twin_every));
  active_.apply(done.changes);
  seen_.count(done);
  must(rows_.chain == done.chain, "the chain row is the one that was written");
  invariants_.check(block, done, rows_);
  check_peel(block);
  if (done.epoch_closed && how_.recount_every != 0 &&
      rows_.chain.epoch.value % how_.recount_every == 0) {
    invariants_.check_all(rows_);
    recount();
  }
  if (tree_) check_tree(done);
  last_ = std::move(done);
}

void world::check_twin(const rules::block_input& block, const rules::effects& done) {
  ++seen_.twins;
  rows_.backwards = true;
  const auto other = execute(block, rules::active_models(rows_));
  rows_.backwards = false;
  must(other.changes == done.changes, "the same block on the same state changes the same bytes");
  must(other.events == done.events, "the same block on the same state leaves the same events");
  must(other.outcomes == done.outcomes, "the same block on the same state has the same outcomes");
  must(other.registry == done.registry,
       "the same block on the same state announces the same models");
  must(other.next_committee == done.next_committee, "the same block seats the same committee");
}

/// Executes the block up to a refused transaction, and again without that transaction. Only its fee
/// and nonce may differ. Nothing may differ if it was refused without a fee.
void world::check_without(const rules::block_input& block, const rules::effects& done) {
  std::vector<std::size_t> refused;
  for (std::size_t i = 0; i < done.outcomes.size(); ++i) {
    if (done.outcomes[i].reason) refused.push_back(i);
  }
  if (refused.empty()) return;
  const auto which = refused[dice{block.height.value}.below(refused.size())];
  auto with = block;
  // Rules look at the time of the block, so it stays; but an epoch's end would change much more.
  if (rules::closes_epoch(rows_.chain, genesis_.parameters, with.time_ms)) return;
  ++seen_.dropped;
  with.transactions.resize(which + 1);
  auto without = with;
  without.transactions.pop_back();
  const auto a = execute(with, active_);
  const auto b = execute(without, active_);
  must(a.outcomes.back() == done.outcomes[which], "an outcome depends on what came before alone");
  const auto& outcome = done.outcomes[which];
  auto events = a.events;  // events of the refused one, then of the targets that this block opens
  const auto last = std::find_if(events.rbegin(), events.rend(), [](const event& e) {
    return e.kind == event_kind::transaction_refused;
  });
  must(last != events.rend() && last->transaction == outcome.id, "a refusal is told");
  events.erase(std::next(last).base());
  must(events == b.events, "of a refusal nothing is told but that it was one");
  must(a.registry == b.registry, "a refusal announces no model");
  const bool at_the_door = static_cast<std::uint16_t>(*outcome.reason) < 20;
  if (at_the_door) {
    must(outcome.fee.value == 0 && a.changes == b.changes, "what the door stops changes nothing");
    return;
  }
  const auto sender = crypto::address_of(with.transactions.back().body->sender);
  std::map<std::string_view, bytes> rest;  // the rows of b
  for (const auto& change : b.changes)
    rest.emplace(text(change.key), change.value.value_or(bytes{}));
  for (const auto& change : a.changes) {
    const auto same = rest.find(text(change.key));
    if (change.key == account_key(sender)) {
      const auto now = decode<account_row>(*change.value).value();
      account_row was;
      if (same != rest.end()) {
        was = decode<account_row>(same->second).value();
      } else {
        was = *rows_.accounts.find(sender);
      }
      must(now.nonce == was.nonce + 1 && now.balance.value + outcome.fee.value == was.balance.value,
           "a refusal costs the fee and the nonce");
      const auto base = rules::base_fee(genesis_.parameters, rules::fee_multiplier(rows_.chain),
                                        with.transactions.back().size_bytes);
      must(outcome.fee == base, "a refusal costs the base fee");
    } else if (change.key == chain_key()) {
      auto now = decode<chain_row>(*change.value).value();
      now.balances.value += outcome.fee.value;
      now.burned.value -= outcome.fee.value;
      now.burned_this_epoch.value -= outcome.fee.value;
      must(same != rest.end(), "a block changes the chain's row");
      const auto was = decode<chain_row>(same->second).value();
      must(now.congestion_ppm >= was.congestion_ppm, "what was executed fills the block");
      now.congestion_ppm = was.congestion_ppm;
      must(now == was, "a refusal changes the chain's totals by the fee alone");
    } else {
      must(same != rest.end() && same->second == change.value.value_or(bytes{}),
           "a refusal changes no row but the sender's");
    }
    if (same != rest.end()) rest.erase(same);
  }
  must(rest.empty(), "a refusal undoes nobody's changes");
}

void world::check_tree(const rules::effects& done) {
  const auto root = tree_->apply(done.changes);
  if (rows_.chain.height.value % how_.tree_every != 0) return;
  auto rows = rows_.all_rows();
  std::reverse(rows.begin(), rows.end());
  state_tree::tree rebuilt;
  must(rebuilt.apply(rows) == root, "the state root depends on the rows alone");
}

void world::recount() const {
  must(ledger::supply_is_whole(rows_), "the supply, counted from the rows, is whole");
}

void world::check_empty() const {
  const auto& c = rows_.chain;
  must(c.bonds.value == 0, "all bonds have come back or are burned");
  std::uint64_t open = 0;  // models whose owners cannot pay for retiring them still get targets
  for (const auto& id : rows_.live(target_status::open))
    open += rows_.targets.find(id)->reward.value;
  must(c.set_aside.value == open, "no reward is set aside but for open targets");
  must(c.joining.value == 0, "no deposit waits any more");
  must(c.unbonding.value == 0, "everything withdrawn has been paid out");
  for (const auto& [item, row] : rows_.agenda.rows) {
    const auto* target = std::get_if<target_id>(&item.subject);
    must(target != nullptr && rows_.targets.find(*target)->status == target_status::open,
         "nothing is left on the agenda");
  }
}

}  // namespace soma::test
