// Proposes blocks as an honest proposer would: transfers from one account to another, on a network
// of one validator. It has no store; a test that wants one commits the effects of the last block.
#pragma once

#include "actors/ledger/queries.hpp"
#include "actors/replay/rows.hpp"
#include "actors/rules/execution.hpp"
#include "actors/rules/genesis_state.hpp"
#include "actors/state_tree/state_tree.hpp"
#include "messages/signing/signing.hpp"

namespace soma::test {

inline crypto::key_pair key_of(std::uint64_t seed) {
  crypto::seeded_random random(seed);
  return crypto::key_pair::generate(random);
}
inline address address_of(std::uint64_t seed) {
  return crypto::address_of(key_of(seed).public_half());
}

class honest_proposer {
 public:
  static constexpr std::uint64_t key_seed = 9;

  explicit honest_proposer(std::uint64_t start_ms = 1'000'000)
      : genesis(small_genesis(start_ms)),
        parent_(signing::genesis_parent(signing::chain_id_of(genesis))) {
    const auto first = rules::genesis_rows(genesis);
    rows_.apply(first);
    tree_.apply(first);
  }

  signed_transaction transfer(std::uint64_t amount) { return transfer_to(address_of(2), amount); }
  signed_transaction transfer_to(const address& to, std::uint64_t amount) {
    transaction sent;
    sent.chain = signing::chain_id_of(genesis);
    sent.sender = key_of(1).public_half();
    sent.nonce = nonce_++;
    sent.expiry = {1'000};
    sent.kind = tx::transfer{to, {amount}};
    return signing::sign_transaction(key_of(1), sent);
  }

  block next(std::uint64_t wait_ms, std::vector<signed_transaction> payload) {
    block made;
    const auto tip = ledger::read_chain(rows_);
    auto& h = made.header;
    h.chain = signing::chain_id_of(genesis);
    h.epoch = tip.epoch;
    h.height = tip.height.next();
    h.parent_view = {tip.height.next() - tip.epoch_first_block};
    h.view = h.parent_view.next();
    h.parent = parent_;
    h.time_ms = tip.time_ms + wait_ms;
    made.payload = std::move(payload);
    if (h.parent_view.value > 0) made.parent_signers.add({0});
    seal_payload(made);
    execute(made);
    seal(made);
    parent_ = signing::id_of(h);
    return made;
  }
  /// The effects of the last block.
  [[nodiscard]] const rules::effects& result() const { return result_; }

  static void seal_payload(block& made) {
    auto& h = made.header;
    h.payload_root = signing::payload_root(made.payload, made.parent_signers);
    h.transactions = static_cast<std::uint32_t>(made.payload.size());
    h.payload_bytes = 0;
    for (const auto& sent : made.payload) {
      h.payload_bytes += static_cast<std::uint32_t>(sent.body.size() + sent.by_sender.size());
    }
  }
  static void seal(block& made) {
    made.by_proposer = signing::sign_block(key_of(key_seed), signing::id_of(made.header));
  }

  soma::genesis genesis;

 private:
  static soma::genesis small_genesis(std::uint64_t start_ms) {
    soma::genesis made;
    made.name = "honest";
    made.start_ms = start_ms;
    made.parameters.architecture = {1, 64, 1, 64, 64};
    made.parameters.epoch_ms = 60'000;
    made.accounts = {{address_of(1), {100 * shannons_per_soma}},
                     {address_of(2), {shannons_per_soma}}};
    made.validators = {{key_of(key_seed).public_half(), {5'000 * shannons_per_soma}}};
    return made;
  }

  void execute(block& made) {
    auto& h = made.header;
    rules::block_input input{h.height, h.time_ms, h.parent, {}, {}, {}, {}};
    if (!made.parent_signers.empty()) input.signers = {address_of(key_seed)};
    for (const auto& sent : made.payload) {
      input.transactions.push_back({signing::id_of(sent), *signing::verify(sent),
                                    sent.body.size() + sent.by_sender.size(), std::nullopt});
    }
    result_ =
        rules::finish(rules::begin_block(input, rows_, rules::active_models(rows_), genesis), {});
    h.state_root = tree_.apply(result_.changes);
    h.flags = result_.epoch_closed ? block_closes_epoch : 0;
    if (result_.epoch_closed) h.next_committee = signing::committee_hash(result_.next_committee);
    rows_.apply(result_.changes);
  }

  replay::memory_rows rows_;
  state_tree::tree tree_;
  rules::effects result_;
  block_id parent_;
  std::uint64_t nonce_ = 0;
};

}  // namespace soma::test
