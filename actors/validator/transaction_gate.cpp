#include "actors/validator/transaction_gate.hpp"

#include "actors/execution/ledger_reader.hpp"
#include "actors/ledger/queries.hpp"
#include "actors/rules/fees.hpp"
#include "actors/wallet/wallet.hpp"
#include "messages/codec/codec.hpp"
#include "messages/codec/model_entry.hpp"
#include "messages/signing/signing.hpp"

namespace soma::validator {

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
  if (chain) set_base_fee(*chain);
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
    (void)take(signed_transaction(sent), origin::peer);
  }
}

bool transaction_gate::send_own(transaction_kind kind) {
  const auto account = ledger_.view().account(me_);
  if (!account) return false;
  // Only members vote. A vote without a seat would be refused, and charged.
  if (rules::is_duty(kind) && !ledger::find_seat(execution::ledger_reader(ledger_), me_))
    return false;
  const auto expiry = executor_.state().chain().epoch.next();
  auto own = wallet::make_signed_transaction(
      key_, chain_, pool_.next_free_nonce(me_, account->nonce), expiry, kind);
  const auto [id, refusal] = take(std::move(own.sent), origin::self);
  if (std::holds_alternative<consensus::pool_refusal>(refusal)) {
    if (postponed_.size() == max_postponed) postponed_.pop_front();
    postponed_.push_back({std::move(kind), expiry});
  }
  return std::holds_alternative<std::monostate>(refusal);
}

void transaction_gate::send_postponed() {
  const auto epoch = executor_.state().chain().epoch;
  for (auto& [kind, until] : std::exchange(postponed_, {})) {
    if (epoch > until) continue;
    if (!send_own(std::move(kind)) && !postponed_.empty()) postponed_.back().until = until;
  }
}

transaction_gate::verdict transaction_gate::take(signed_transaction&& sent, origin from) {
  const auto [id, body, size, unreadable] = executor_.read(sent);
  const auto refuse = [id = id](rules::refusal why) { return verdict{id, why}; };
  if (unreadable) return refuse(*unreadable);
  const auto sender = crypto::address_of(body->sender);
  const auto account = ledger_.view().account(sender);
  if (const auto refused = at_the_door(*body, sender, account)) return refuse(*refused);
  const auto taken =
      pool_.add(pooled(id, sender, *body, sent), *account, executor_.state().chain().epoch);
  if (!taken) return {id, taken.error()};
  if (from != origin::peer) pass_on(sent);
  parts_.transaction_pooled();
  return {id, {}};
}

/// Refuses a transaction that a block would refuse without charging its sender. The nonce is not
/// checked here, because the pool checks it.
rules::refused transaction_gate::at_the_door(const transaction& sent, const address& sender,
                                             std::optional<account_row> account) const {
  const auto& chain = executor_.state().chain();
  if (account) account->nonce = sent.nonce;
  const auto fee = rules::base_fee(genesis_.parameters, rules::fee_multiplier(chain));
  return rules::check_door(sent, 0, chain_, chain.epoch, account ? &*account : nullptr, fee,
                           is_duty(sent, sender));
}

bool transaction_gate::is_duty(const transaction& body, const address& sender) const {
  return rules::is_duty(body.kind) &&
         ledger::find_seat(execution::ledger_reader(ledger_), sender).has_value();
}

/// Whether the sender reveals what it has committed to, and would lose money if it could not.
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
  return false;
}

consensus::pooled_transaction transaction_gate::pooled(const transaction_id& id,
                                                       const address& sender,
                                                       const transaction& body,
                                                       const signed_transaction& sent) const {
  consensus::pooled_transaction t{id, sender, body.nonce, body.expiry, sent};
  t.is_free = is_duty(body, sender);
  t.lane = t.is_free                           ? consensus::pool_lane::vote
           : reveals_what_stands(body, sender) ? consensus::pool_lane::reveal
                                               : consensus::pool_lane::rest;
  t.work_fee = {t.is_free ? 0 : genesis_.parameters.base_fee};
  t.moved = rules::moved_by(body.kind);
  t.value_fee = rules::value_fee(genesis_.parameters, t.moved);
  return t;
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

void transaction_gate::set_base_fee(const chain_row& chain) {
  pool_.set_base_fee(rules::base_fee(genesis_.parameters, rules::fee_multiplier(chain)));
}

void transaction_gate::block_done(const rules::effects& done) {
  std::vector<transaction_id> contained;
  for (std::size_t i = 0; i < done.outcomes.size(); ++i) {
    const auto& outcome = done.outcomes[i];
    // A proposer can put a body with a wrong signature into a block. The transaction with the right
    // signature has not been executed then, and stays in the pool.
    const bool forged = outcome.reason == rules::refusal::bad_signature ||
                        outcome.reason == rules::refusal::malformed;
    if (!forged) contained.push_back(outcome.id);
  }
  std::vector<std::pair<address, account_row>> accounts;
  for (const auto& change : done.changes) {
    if (!change.value || table_of(change.key) != ledger_table::account) continue;
    accounts.emplace_back(*id_in_key<address>(change.key), *decode_own<account_row>(*change.value));
  }
  pool_.block_done(contained, accounts);
  set_base_fee(done.chain);
  if (done.epoch_closed) pool_.expire(executor_.state().chain().epoch);
  send_postponed();
}

}  // namespace soma::validator
