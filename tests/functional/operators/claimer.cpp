#include "tests/functional/operators/claimer.hpp"

#include <algorithm>
#include <bit>
#include <caf/event_based_actor.hpp>
#include <future>

#include "actors/blob_store/transfer.hpp"
#include "actors/scorer/competition.hpp"
#include "actors/wallet/wallet.hpp"
#include "messages/crypto/merkle.hpp"
#include "messages/crypto/random.hpp"
#include "messages/signing/signing.hpp"
#include "model/scoring/exact_engine.hpp"

namespace soma::support {
namespace {

constexpr std::size_t piece_bytes = 1'500;  // more than a full home can store
constexpr std::chrono::seconds patience(40);

}  // namespace

const char* to_text(conduct how) {
  constexpr std::array names{"honest",     "wrong loss",  "wrong winner",  "wrong distance",
                             "wrong size", "unavailable", "never reveals", "copies a claim"};
  static_assert(names.size() == conducts);
  return names.at(static_cast<std::size_t>(how));
}

claimer::claimer(caf::actor_system& system, const validator_network& net,
                 std::shared_ptr<tables::ledger_store> ledger)
    : system_(system), net_(net), ledger_(std::move(ledger)) {}

void claimer::knows(const weights::model_weights& model) {
  engines_[model.hash()] = scoring::exact_engines()(model);
}

std::optional<transaction_id> claimer::send(const operator_doors& home, const crypto::key_pair& who,
                                            transaction_kind kind) {
  const auto account = ledger_->view().account(crypto::address_of(who.public_half()));
  const auto expiry = ledger_->chain()->epoch.next();
  const auto made =
      wallet::make_signed_transaction(who, signing::chain_id_of(net_.genesis()),
                                      account ? account->nonce : 0, expiry, std::move(kind));
  std::optional<event> outcome;
  bool is_offered = false;
  const bool has_ended = comes_true(
      [&] {
        // A home that is halted does not answer in time. The same bytes are offered again.
        if (!is_offered) {
          is_offered = ask<schema::SubmitReceipt>(system_, home.validator, wallet::offer(made.sent))
                           .has_value();
        }
        const auto view = ledger_->view();
        if (const auto place = view.find_transaction(made.id)) {
          for (const auto& item : view.events_at(place->height)) {
            if (item.transaction == made.id && (item.kind == event_kind::transaction_applied ||
                                                item.kind == event_kind::transaction_refused)) {
              outcome = item;
            }
          }
          return true;
        }
        return view.chain()->epoch > expiry;
      },
      patience);
  const bool is_done = has_ended && outcome && outcome->kind == event_kind::transaction_applied;
  return is_done ? std::optional(made.id) : std::nullopt;
}

bool claimer::store(const operator_doors& home, const bytes& data) {
  auto promise = std::make_shared<std::promise<bool>>();
  auto result = promise->get_future();
  system_.spawn([=](caf::event_based_actor* self) {
    blob_store::store_blob<caf::event_based_actor*>(
        self, home.blobs, data,
        [promise](const expected<blob_id, blob_store::transfer_refusal>& done) {
          promise->set_value(done.has_value());
        });
  });
  return result.wait_for(patience) == std::future_status::ready && result.get();
}

std::optional<target_id> claimer::open_target() {
  const auto view = ledger_->view();
  for (const auto& id : view.open_targets(view.chain()->epoch)) {
    if (tried_.insert(id).second) return id;
  }
  return std::nullopt;
}

std::optional<claimer::found_score> claimer::score(const target_id& target, const target_row& row,
                                                   const bytes& data) {
  const auto view = ledger_->view();
  std::vector<scorer::competitor> all;
  for (const auto& ref : row.assigned) {
    const auto version = view.model_version(ref);
    const auto engine = version ? engines_.find(version->weights) : engines_.end();
    if (engine == engines_.end()) return std::nullopt;
    all.push_back({engine->second.get(), net_.genesis().parameters.architecture, version->weights,
                   ref, version->activation_order});
  }
  const auto result =
      scorer::compete(all, {data, signing::scoring_seed_of(target), row.point, false});
  if (!result || result->winner == scorer::no_winner) return std::nullopt;
  found_score found{result->winner, {}, result->distance_q30, result->data};
  for (const auto& entry : result->entries) {
    found.loss_bits.push_back(std::bit_cast<std::uint32_t>(entry.score.loss));
  }
  return found;
}

bool claimer::may_be_claimed(conduct how, const target_row& row, const found_score& found) const {
  if (found.distance_q30 > row.radius_q30) return false;
  if (how == conduct::wrong_winner) return row.assigned.size() > 1;
  return how != conduct::copies_claim || last_claimed_;
}

std::optional<made_claim> claimer::claim(conduct how, const crypto::key_pair& who,
                                         const operator_doors& home) {
  const auto sender = crypto::address_of(who.public_half());
  const auto target = open_target();
  const auto row = target ? ledger_->view().target(*target) : std::nullopt;
  if (!row || row->point.empty()) return std::nullopt;
  bytes data(piece_bytes);
  crypto::seeded_random random(++pieces_);
  random.fill(data);
  const auto found = score(*target, *row, data);
  if (!found || !may_be_claimed(how, *row, *found)) return std::nullopt;

  const auto salt = random.next_id<hash256>();
  auto winner = found->winner;
  tx::claim_target claim;
  claim.target = *target;
  claim.distance_q30 = found->distance_q30;
  claim.size_bytes = data.size();
  if (how == conduct::wrong_winner) winner = (winner + 1) % row->assigned.size();
  if (how == conduct::wrong_distance) claim.distance_q30 -= claim.distance_q30 / 4;
  if (how == conduct::wrong_size) ++claim.size_bytes;
  claim.winner = row->assigned[winner];
  claim.loss_bits = found->loss_bits[winner];
  if (how == conduct::wrong_loss) {
    claim.loss_bits = std::bit_cast<std::uint32_t>(std::bit_cast<float>(claim.loss_bits) / 2);
  }
  claim.commitment = signing::data_commitment(found->data, crypto::blob_id_of(data),
                                              claim.size_bytes, salt, sender);
  if (how == conduct::copies_claim) {
    claim.commitment = ledger_->view().submission(*last_claimed_)->commitment;
  }
  const bool keeps_it = how == conduct::unavailable || how == conduct::never_reveals;
  if (!keeps_it && !store(home, data)) return std::nullopt;
  if (!send(home, who, claim)) return std::nullopt;
  last_claimed_ = *target;
  made_claim made{*target, how, sender};
  if (how == conduct::never_reveals || how == conduct::copies_claim) return made;
  // A reveal that comes too late counts as a claim that was never revealed: the bond is lost. It
  // is tried until then.
  const tx::reveal_data reveal{*target, found->data, crypto::blob_id_of(data), salt};
  for (int i = 0; i < 3 && !send(home, who, reveal); ++i) {
  }
  return made;
}

}  // namespace soma::support
