#include "actors/validator/transaction_gate.hpp"

#include <algorithm>

#include "actors/execution/ledger_reader.hpp"
#include "actors/ledger/ledger.hpp"
#include "actors/rules/claims.hpp"
#include "actors/rules/equivocation.hpp"
#include "actors/rules/fees.hpp"
#include "actors/wallet/wallet.hpp"
#include "messages/codec/codec.hpp"
#include "messages/codec/model_entry.hpp"
#include "messages/signing/signing.hpp"

namespace soma::validator {
namespace {

/// Names what the duty is about: of votes on one thing only the first is free.
row_key duty_name(const transaction_kind& kind, const address& sender) {
  if (const auto* vote = std::get_if<tx::vote_on_submission>(&kind)) {
    return submission_key(vote->target);
  }
  if (const auto* vote = std::get_if<tx::vote_on_model>(&kind)) {
    return model_version_key(vote->version);
  }
  return rules::is_duty(kind) ? account_key(sender) : row_key{};
}

}  // namespace

transaction_gate::transaction_gate(validator_parts& parts, const tables::ledger_store& ledger,
                                   block_executor& executor, const soma::genesis& genesis,
                                   const crypto::key_pair& key)
    : parts_(parts),
      ledger_(ledger),
      executor_(executor),
      genesis_(genesis),
      chain_(signing::chain_id_of(genesis)),
      key_(key),
      me_(crypto::address_of(key.public_half())) {
  const auto chain = ledger_.view().chain();
  if (chain) pool_.set_fee_multiplier(rules::fee_multiplier(*chain));
}

message<schema::SubmitReceipt> transaction_gate::submit(schema::SubmitTransaction::Reader request) {
  signed_transaction sent;
  sent.body = bytes_of(request.getBody());
  const auto by_sender = array_of<64>(request.getSignature());
  if (!by_sender) return receipt({}, rules::refusal::bad_signature);
  sent.by_sender = *by_sender;
  const auto [id, refusal] = take(std::move(sent), origin::client);
  return receipt(id, refusal);
}

void transaction_gate::take_from_peer(std::uint32_t peer, const peer::transactions& batch,
                                      std::uint64_t now_ms) {
  auto& taken = taken_[peer];
  if (taken.number != now_ms / 1'000) taken = {now_ms / 1'000, 0};
  for (const auto& sent : batch.list) {
    if (++taken.transactions > max_peer_transactions_per_s) return;
    if (pool_.contains(signing::id_of(sent))) continue;
    const auto [id, refusal] = take(signed_transaction(sent), origin::peer);
    if (refusal == offer_refusal(rules::refusal::bad_signature)) {
      // By security §6.4: a correct validator passes on only what it has verified.
      return parts_.misbehaved(peer, "it sent a transaction with a wrong signature");
    }
  }
}

bool transaction_gate::send_own(transaction_kind kind) {
  own_word word{std::move(kind), executor_.state().chain().epoch.next()};
  const auto refusal = say(word);
  if (std::holds_alternative<rules::refusal>(refusal)) return false;
  if (own_.size() == max_own_words) own_.pop_front();
  own_.push_back(std::move(word));
  return std::holds_alternative<std::monostate>(refusal);
}

offer_refusal transaction_gate::say(own_word& word) {
  word.waits_as.reset();
  const auto account = ledger_.view().account(me_);
  if (!account) return rules::refusal::account_unknown;
  const auto& chain = executor_.state().chain();
  auto own = wallet::make_signed_transaction(
      key_, chain_, pool_.next_free_nonce(me_, account->nonce), chain.epoch.next(), word.kind);
  const auto [id, refusal] = take(std::move(own.sent), origin::self);
  if (std::holds_alternative<std::monostate>(refusal)) {
    word.waits_as = id;
    word.pause = first_pause;
    word.again_at = chain.height + first_pause;
  }
  return refusal;
}

void transaction_gate::say_again(const chain_row& after, const std::set<transaction_id>& executed) {
  for (auto& word : std::exchange(own_, {})) {
    if (after.epoch > word.until) continue;
    if (word.waits_as && executed.contains(*word.waits_as)) continue;
    const auto* waiting = word.waits_as ? pool_.find(*word.waits_as) : nullptr;
    if (waiting == nullptr) {
      // It would be refused now, for instance because another transaction has done the same.
      if (std::holds_alternative<rules::refusal>(say(word))) continue;
    } else if (after.height >= word.again_at) {
      pass_on(*waiting);
      word.pause = std::min(2 * word.pause, longest_pause);
      word.again_at = after.height + word.pause;
    }
    own_.push_back(std::move(word));
  }
}

transaction_gate::verdict transaction_gate::take(signed_transaction&& sent, origin from) {
  // What costs little is checked first. A signature costs most, so it is checked below, and only of
  // what the pool would take.
  const auto [id, body, size, unreadable] = rules::read_transaction(sent, true);
  const auto refuse = [id = id](rules::refusal why) { return verdict{id, why}; };
  if (unreadable) return refuse(*unreadable);
  const auto sender = crypto::address_of(body->sender);
  const auto account = ledger_.view().account(sender);
  if (const auto refused = at_the_door(*body, size, account)) return refuse(*refused);
  const auto epoch = executor_.state().chain().epoch;
  auto offered = priced(id, sender, *body, sent);
  if (const auto refused = pool_.check(offered, *account, epoch)) return {id, *refused};
  if (const auto refused = duty_refused(body->kind, sender)) return refuse(*refused);
  if (const auto refused = executor_.read(sent).known) return refuse(*refused);
  offered.lane = lane_of(*body, sender);
  const auto taken = pool_.add(std::move(offered), *account, epoch);
  if (!taken) return {id, taken.error()};
  if (from != origin::peer) pass_on(sent);
  parts_.transaction_pooled();
  return {id, {}};
}

/// Refuses a transaction that a block would refuse without charging its sender. The nonce is not
/// checked here, because the pool checks it.
rules::refused transaction_gate::at_the_door(const transaction& sent, std::uint64_t size_bytes,
                                             std::optional<account_row> account) const {
  const auto& chain = executor_.state().chain();
  if (account) account->nonce = sent.nonce;
  const auto fee = rules::base_fee(genesis_.parameters, rules::fee_multiplier(chain), size_bytes);
  return rules::check_door(sent, size_bytes, chain_, chain.epoch, account ? &*account : nullptr,
                           fee, rules::is_duty(sent.kind));
}

/// A duty that a block would refuse is not taken in. So what waits as one is free for good reason,
/// and nobody pays for a vote that has become pointless.
rules::refused transaction_gate::duty_refused(const transaction_kind& kind,
                                              const address& sender) const {
  if (!rules::is_duty(kind)) return std::nullopt;
  const execution::ledger_reader reader(ledger_);
  ledger::block_state state(reader);
  const rules::block_run run{state, genesis_.parameters, state.chain().height.next()};
  return rules::check_duty(run, sender, kind);
}

/// Whether the sender reveals what it has committed to, and would lose money if it could not; or
/// reports an equivocation that would be punished now, which no fee of others should keep out.
bool transaction_gate::reveals_what_stands(const transaction& body, const address& sender) const {
  const auto view = ledger_.view();
  if (const auto* data = std::get_if<tx::reveal_data>(&body.kind)) {
    const auto claim = view.submission(data->target);
    return claim && !claim->revealed_at && claim->submitter == sender;
  }
  if (const auto* what = std::get_if<tx::reveal_model>(&body.kind)) {
    const auto model = view.model(what->model);
    if (!model || model->owner != sender) return false;
    const auto version = view.model_version({what->model, model->latest_version});
    return version && version->status == version_status::committed;
  }
  if (const auto* report = std::get_if<tx::report_equivocation>(&body.kind)) {
    const execution::ledger_reader reader(ledger_);
    ledger::block_state state(reader);
    const rules::block_run run{state, genesis_.parameters, state.chain().height.next()};
    return !rules::check_report(run, chain_, *report);
  }
  return false;
}

consensus::pool_lane transaction_gate::lane_of(const transaction& body,
                                               const address& sender) const {
  if (rules::is_duty(body.kind)) return consensus::pool_lane::vote;
  return reveals_what_stands(body, sender) ? consensus::pool_lane::reveal
                                           : consensus::pool_lane::rest;
}

consensus::pooled_transaction transaction_gate::priced(const transaction_id& id,
                                                       const address& sender,
                                                       const transaction& body,
                                                       const signed_transaction& sent) const {
  consensus::pooled_transaction t{id, sender, body.nonce, body.expiry, sent};
  t.duty = duty_name(body.kind, sender);
  t.is_free = !t.duty.empty();
  const auto size = consensus::payload_size(sent);
  t.work_fee = {t.is_free ? 0 : rules::base_units(genesis_.parameters, size)};
  t.value_fee = rules::value_fee(genesis_.parameters, rules::moved_by(body.kind));
  t.moved = taken_by(body.kind);
  return t;
}

/// What the transaction takes from its sender beside the fee, if it is applied.
shannons transaction_gate::taken_by(const transaction_kind& kind) const {
  const auto* claim = std::get_if<tx::claim_target>(&kind);
  if (claim == nullptr) return rules::moved_by(kind);
  const auto target = ledger_.view().target(claim->target);
  const auto bond =
      rules::bond_for(genesis_.parameters, target ? target->reward : shannons{}, claim->size_bytes);
  return bond.value_or(supply_cap);
}

void transaction_gate::pass_on(const signed_transaction& sent) {
  const auto size = consensus::payload_size(sent);
  if (batch_size_ + size > batch_bytes) flush();
  batch_.list.push_back(sent);
  batch_size_ += size;
  SOMA_ASSERT(!batch_.list.empty() && batch_size_ >= size, "a batch counts what is in it");
  if (batch_size_ >= batch_bytes) return flush();
  if (batch_.list.size() == 1) parts_.batch_begun();
}

void transaction_gate::flush() {
  if (batch_.list.empty()) return;
  batch_size_ = 0;
  parts_.send_to_all_peers(std::exchange(batch_, {}));
}

void transaction_gate::block_done(const rules::effects& done) {
  std::vector<transaction_id> gone;
  std::set<transaction_id> executed;
  for (const auto& outcome : done.outcomes) {
    // What stopped at the door was not executed. It still waits, unless its sender cannot pay.
    if (!outcome.reason || !rules::stops_at_door(*outcome.reason)) {
      executed.insert(outcome.id);
      gone.push_back(outcome.id);
    } else if (outcome.reason == rules::refusal::base_fee_unaffordable) {
      gone.push_back(outcome.id);
    }
  }
  std::vector<std::pair<address, account_row>> accounts;
  for (const auto& change : done.changes) {
    if (!change.value || table_of(change.key) != ledger_table::account) continue;
    accounts.emplace_back(*id_in_key<address>(change.key), *decode_own<account_row>(*change.value));
  }
  pool_.block_done(gone, accounts);
  pool_.set_fee_multiplier(rules::fee_multiplier(done.chain));
  if (done.epoch_closed) {
    pool_.expire(executor_.state().chain().epoch);
    pool_.drop_duties([&](const consensus::pooled_transaction& t) {
      const auto body = rules::read_transaction(t.transaction, true).body;
      return duty_refused(body->kind, t.sender).has_value();
    });
  }
  say_again(done.chain, executed);
}

}  // namespace soma::validator
