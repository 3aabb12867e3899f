#include "actors/rules/transactions.hpp"

#include <algorithm>

#include "actors/rules/claims.hpp"
#include "actors/rules/committee.hpp"
#include "actors/rules/equivocation.hpp"
#include "actors/rules/fees.hpp"
#include "actors/rules/models.hpp"
#include "actors/rules/onion.hpp"
#include "actors/rules/settlement.hpp"
#include "actors/rules/staking.hpp"
#include "messages/crypto/ed25519.hpp"
#include "messages/signing/signing.hpp"
#include "messages/values/assert.hpp"

namespace soma::rules {
namespace {

/// Applies a transaction of one kind.
struct apply {
  block_run& run;
  const chain_id& chain;
  const address& sender;

  refused operator()(const tx::transfer& what) {  // protocol §1.10
    if (what.amount.value == 0) return refusal::amount_is_zero;
    if (!run.state.move(balance_of(sender), balance_of(what.to), what.amount))
      return refusal::balance_too_low;
    auto& e = run.note(event_kind::transferred);
    e.account = what.to;
    e.other = sender;
    e.amount = what.amount;
    return std::nullopt;
  }
  refused operator()(const tx::commit_model& what) { return commit_model(run, sender, what); }
  refused operator()(const tx::reveal_model& what) { return reveal_model(run, sender, what); }
  refused operator()(const tx::retire_model& what) { return retire_model(run, sender, what); }
  refused operator()(const tx::vote_on_model& what) { return vote_on_model(run, sender, what); }
  refused operator()(const tx::claim_target& what) { return claim_target(run, sender, what); }
  refused operator()(const tx::reveal_data& what) { return reveal_data(run, sender, what); }
  refused operator()(const tx::vote_on_submission& what) {
    return vote_on_submission(run, sender, what);
  }
  refused operator()(const tx::add_stake& what) { return add_stake(run, sender, what); }
  refused operator()(const tx::withdraw_stake& what) { return withdraw_stake(run, sender, what); }
  refused operator()(const tx::set_commission& what) { return set_commission(run, sender, what); }
  refused operator()(const tx::join_committee& what) {
    return join_committee(run, chain, sender, what);
  }
  refused operator()(const tx::leave_committee&) { return leave_committee(run, sender); }
  refused operator()(const tx::report_equivocation& what) {
    return report_equivocation(run, chain, sender, what);
  }
  refused operator()(const tx::commit_onion& what) { return commit_onion(run, sender, what); }
};

/// Applies the effects and takes the fee. If this is refused, the caller undoes it.
refused apply_and_charge(block_run& run, const address& sender, const block_transaction& sent,
                         const ledger::block_state::savepoint& start, bool free, shannons& fee) {
  const transaction& t = *sent.body;
  if (const auto no = std::visit(apply{run, t.chain, sender}, t.kind)) return no;
  if (free) return std::nullopt;
  const written_rows written{run.state.rows_written(start), run.state.bytes_of_new_rows(start)};
  const auto full = full_fee(run.parameters, fee_multiplier(run.state.chain()), sent.size_bytes,
                             written, moved_by(t.kind));
  if (!full) return refusal::arithmetic_overflow;
  fee = *full;
  if (!run.state.move(balance_of(sender), of(pot::burned), fee)) return refusal::fee_unaffordable;
  return std::nullopt;
}

/// Whether it is a duty that is applied where it stands. One that is refused is charged as any
/// transaction, or a member without a balance could fill the blocks for nothing.
bool is_free(const block_run& run, const address& sender, const transaction_kind& kind) {
  return is_duty(kind) && !check_duty(run, sender, kind);
}

void use_nonce(block_run& run, const address& sender) {
  run.state.accounts.update(sender, [](account_row& a) { ++a.nonce; });
}

void note_outcome(block_run& run, const address& sender, const transaction_outcome& outcome) {
  auto& e =
      run.note(outcome.reason ? event_kind::transaction_refused : event_kind::transaction_applied);
  e.account = sender;
  e.amount = outcome.fee;
  e.refusal = outcome.reason ? static_cast<std::uint16_t>(*outcome.reason) : std::uint16_t{0};
}

void execute(block_run& run, const address& sender, const block_transaction& t, shannons base,
             bool free, transaction_outcome& outcome) {
  const auto start = run.state.mark();
  const auto events = run.events.size();
  const auto registry = run.registry.size();
  const bool stakes_changed = run.stakes_changed;
  use_nonce(run, sender);
  outcome.reason = apply_and_charge(run, sender, t, start, free, outcome.fee);
  if (!outcome.reason) {
    const auto* claim = std::get_if<tx::claim_target>(&t.body->kind);
    if (claim != nullptr) run.filled.push_back(claim->target);
    return;
  }
  SOMA_ASSERT(!free, "a duty whose checks pass is applied");
  run.state.rollback(start);
  run.events.resize(events);
  run.registry.resize(registry);
  run.stakes_changed = stakes_changed;
  use_nonce(run, sender);
  outcome.fee = base;  // the door has seen that the balance covers it
  run.state.must_move(balance_of(sender), of(pot::burned), outcome.fee);
}

}  // namespace

block_transaction read_transaction(const signed_transaction& sent, bool is_known_to_hold) {
  block_transaction read;
  read.id = signing::id_of(sent);
  read.size_bytes = sent.body.size() + sent.by_sender.size();
  if (auto body = is_known_to_hold ? signing::read_verified(sent) : signing::verify(sent)) {
    read.body = std::move(*body);
  } else if (body.error() == signing::tx_refusal::too_large) {
    read.known = refusal::too_large;
  } else if (body.error() == signing::tx_refusal::bad_signature) {
    read.known = refusal::bad_signature;
  } else {
    read.known = refusal::malformed;
  }
  return read;
}

bool is_duty(const transaction_kind& kind) {
  return std::holds_alternative<tx::vote_on_model>(kind) ||
         std::holds_alternative<tx::vote_on_submission>(kind) ||
         std::holds_alternative<tx::commit_onion>(kind);
}

refused check_duty(const block_run& run, const address& sender, const transaction_kind& kind) {
  if (const auto* vote = std::get_if<tx::vote_on_model>(&kind)) {
    return check_vote(run, sender, *vote);
  }
  if (const auto* vote = std::get_if<tx::vote_on_submission>(&kind)) {
    return check_vote(run, sender, *vote);
  }
  const auto* onion = std::get_if<tx::commit_onion>(&kind);
  SOMA_ASSERT(onion != nullptr, "only a duty is checked as one");
  return check_onion(run, sender, *onion);
}

shannons moved_by(const transaction_kind& kind) {
  if (const auto* sent = std::get_if<tx::transfer>(&kind)) return sent->amount;
  if (const auto* model = std::get_if<tx::commit_model>(&kind)) return model->stake;
  if (const auto* deposit = std::get_if<tx::add_stake>(&kind)) return deposit->amount;
  if (const auto* join = std::get_if<tx::join_committee>(&kind)) return join->stake;
  return {};
}

refused check_door(const transaction& t, std::uint64_t size_bytes, const chain_id& chain,
                   epoch_number epoch, const account_row* account, shannons base_fee,
                   bool free_of_fee) {
  if (size_bytes > max_transaction_bytes) return refusal::too_large;
  if (t.chain != chain) return refusal::wrong_chain;
  if (account == nullptr) return refusal::account_unknown;
  if (t.nonce < account->nonce) return refusal::nonce_too_low;
  if (t.nonce > account->nonce) return refusal::nonce_too_high;
  if (t.expiry < epoch) return refusal::expired;
  if (!free_of_fee && account->balance < base_fee) return refusal::base_fee_unaffordable;
  return std::nullopt;
}

transaction_outcome run_transaction(block_run& run, const chain_id& chain,
                                    const block_transaction& t) {
  transaction_outcome outcome{t.id, t.known, {}};
  run.transaction = t.id;
  if (!outcome.reason && !t.body) outcome.reason = refusal::malformed;
  address sender;
  if (!outcome.reason) {
    sender = crypto::address_of(t.body->sender);
    const bool free = is_free(run, sender, t.body->kind);
    const auto base = base_fee(run.parameters, fee_multiplier(run.state.chain()), t.size_bytes);
    outcome.reason = check_door(*t.body, t.size_bytes, chain, run.epoch(),
                                run.state.accounts.find(sender), base, free);
    if (!outcome.reason) {
      ++run.executed;
      run.executed_bytes += t.size_bytes;
      execute(run, sender, t, base, free, outcome);
    }
  }
  note_outcome(run, sender, outcome);
  run.transaction = {};
  run.state.commit();
  return outcome;
}

}  // namespace soma::rules
