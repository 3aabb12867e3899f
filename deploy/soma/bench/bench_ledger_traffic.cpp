// The transactions in the blocks of `soma bench ledger`.
#include <algorithm>

#include "actors/ledger/queries.hpp"
#include "actors/rules/models.hpp"
#include "actors/wallet/wallet.hpp"
#include "deploy/soma/bench/bench_ledger_world.hpp"
#include "messages/codec/codec.hpp"
#include "messages/signing/signing.hpp"

namespace soma::cli {
namespace {

constexpr std::size_t commits_a_block = 15;
constexpr std::size_t reveals_a_block = 2;
constexpr std::size_t commissions_a_block = 20;
constexpr std::size_t deposits_a_block = 50;
constexpr std::size_t withdrawals_a_block = 30;
constexpr epoch_number far_epoch{1'000'000};

}  // namespace

weights_manifest ledger_world::some_manifest(const hash256& root) const {
  const auto size_bytes = rules::weights_bytes(genesis_.parameters.architecture) + 1;
  return {size_bytes, 1u << 20, blob_id{root.value}, {}};
}

std::vector<float> ledger_world::some_embedding(std::uint64_t number) const {
  std::vector<float> values(options_.dim, 0.5f);
  values[number % options_.dim] = 1.0f;
  return values;
}

void ledger_world::send(block& into, std::uint64_t account, transaction_kind kind, traffic how) {
  const auto nonce = nonces_[account]++;
  if (how != traffic::signed_blocks) {
    const auto made = wallet::make_transaction(chain_, public_of(account), nonce, far_epoch, kind);
    return into.payload.push_back({encode(made), {}});
  }
  const bool is_validator = account >= options_.accounts;
  SOMA_ASSERT(is_validator || account < keys_.size(), "only accounts with keys sign");
  const auto& key = is_validator ? validators_[account - options_.accounts] : keys_[account];
  into.payload.push_back(
      wallet::make_signed_transaction(key, chain_, nonce, far_epoch, std::move(kind)).sent);
}

std::uint64_t ledger_world::next_plain() {
  const auto plain = options_.accounts - keys_.size();
  return plain == 0 ? next_keyed() : keys_.size() + plain_turn_++ % plain;
}

transaction_kind ledger_world::transfer() {
  return tx::transfer{crypto::address_of(public_of(random() % options_.accounts)),
                      {1'000 + random() % 1'000}};
}

/// Sends the votes of three of the four committee members. Three are a quorum, so these votes
/// settle the first submissions of the previous block.
void ledger_world::send_votes(block& into, traffic how) {
  constexpr std::size_t settled_a_block = 3, voters = 3;
  for (std::size_t i = 0; i < std::min(settled_a_block, revealed_.size()); ++i) {
    for (std::size_t v = 0; v < voters; ++v) {
      send(into, options_.accounts + v, tx::vote_on_submission{revealed_[i], audit_verdict::ok},
           how);
    }
  }
  if (models_revealed_.empty()) return;
  for (std::size_t v = 0; v < voters; ++v) {
    send(into, options_.accounts + v,
         tx::vote_on_model{{models_revealed_.front(), 1}, model_verdict::good}, how);
  }
}

void ledger_world::send_claims(block& into, std::size_t claims, traffic how) {
  constexpr std::uint64_t size_bytes = 1'000;
  revealed_.clear();
  for (const auto& c : claims_) {
    send(into, c.sender, tx::reveal_data{c.target, c.data, blob_id{c.salt.value}, c.salt}, how);
    revealed_.push_back(c.target);
  }
  claims_.clear();
  const auto view = store_->view();
  for (const auto& id : view.open_targets(tip_.epoch)) {
    if (claims_.size() == claims) break;
    claimed c{id, next_keyed(), {made_up("bench.data", random()).value}, {}};
    c.salt = made_up("bench.salt", random());
    const auto commitment = signing::data_commitment(
        c.data, blob_id{c.salt.value}, size_bytes, c.salt, crypto::address_of(public_of(c.sender)));
    send(into, c.sender,
         tx::claim_target{id, view.target(id)->assigned.front(), 0x3f800000, 1, size_bytes,
                          commitment},
         how);
    claims_.push_back(c);
  }
}

void ledger_world::commit_models(block& into, std::size_t count, traffic how) {
  for (std::size_t i = 0; i < count; ++i) {
    committed_model made{next_keyed(), {}, made_up("bench.salt", random())};
    const auto commitment =
        signing::model_commitment(weights_hash{made.salt.value}, made.salt.value, some_embedding(0),
                                  made.salt, crypto::address_of(public_of(made.owner)));
    send(into, made.owner,
         tx::commit_model{
             std::nullopt, commitment, some_manifest(made.salt), {shannons_per_soma}, 100},
         how);
    made.id = signing::model_id_of(signing::id_of(into.payload.back()));
    committed_.push_back(made);
  }
}

void ledger_world::send_models(block& into, traffic how) {
  models_revealed_.clear();
  // Only models that were committed in the previous epoch can be revealed now; they stand first.
  for (std::size_t i = 0; i < reveals_a_block && !committed_.empty(); ++i) {
    const auto made = committed_.front();
    committed_.erase(committed_.begin());
    send(into, made.owner,
         tx::reveal_model{made.id, weights_hash{made.salt.value}, made.salt.value,
                          some_embedding(0), made.salt},
         how);
    models_revealed_.push_back(made.id);
  }
  auto waiting = std::move(committed_);
  commit_models(into, commits_a_block, how);
  committed_ = std::move(waiting);
}

void ledger_world::send_stakes(block& into, traffic how) {
  for (std::size_t i = 0; i < commissions_a_block; ++i) {
    const auto owner = next_keyed() % models_.size();
    send(into, owner, tx::set_commission{models_[owner], 1 + static_cast<std::uint32_t>(i)}, how);
  }
  for (std::size_t i = 0; i < deposits_a_block; ++i) {
    send(into, next_keyed(), tx::add_stake{models_[random() % models_.size()], {1'000'000}}, how);
  }
  for (std::size_t i = 0; i < withdrawals_a_block; ++i) {
    const auto holder = next_keyed();
    send(into, holder, tx::withdraw_stake{models_[(holder + 1) % models_.size()], 1}, how);
  }
}

void ledger_world::send_history(block& into) {
  constexpr std::size_t transfers_a_block = 5;
  constexpr std::uint64_t blocks_a_model = 50;
  constexpr auto how = traffic::history;
  send_votes(into, how);
  send_claims(into, 1, how);
  if (tip_.height.value % blocks_a_model == 0) send_models(into, how);
  for (std::size_t i = 0; i < transfers_a_block; ++i) send(into, next_plain(), transfer(), how);
  send(into, next_keyed(), tx::add_stake{models_[random() % models_.size()], {1'000'000}}, how);
}

}  // namespace soma::cli
