#include "actors/validator/validator.hpp"

#include <caf/exit_reason.hpp>

#include "actors/consensus/mempool.hpp"
#include "actors/consensus/solo_agreement.hpp"
#include "actors/router/router.hpp"
#include "actors/rules/derived_ids.hpp"
#include "actors/rules/execution.hpp"
#include "actors/rules/fees.hpp"
#include "actors/rules/genesis_state.hpp"
#include "actors/rules/queries.hpp"
#include "actors/rules/state_tree.hpp"
#include "actors/validator/auditor.hpp"
#include "actors/validator/ledger_answers.hpp"
#include "actors/validator/ledger_reader.hpp"
#include "actors/validator/registry_delta.hpp"
#include "messages/crypto/transactions.hpp"
#include "messages/types/codec.hpp"
#include "messages/types/fields.hpp"

namespace soma::actors {
namespace {

/// A timer is looked at at least this often, so that none is left behind for long.
constexpr std::uint64_t longest_wait_ms = 1'000;

struct key_signer final : consensus::solo::signer {
  explicit key_signer(crypto::key_pair pair) : key(std::move(pair)) {}
  [[nodiscard]] signature sign_block(const block_id& block) override {
    return crypto::sign_block(key, block);
  }
  crypto::key_pair key;
};

class validator_logic : public std::enable_shared_from_this<validator_logic> {
 public:
  validator_logic(validator_actor::pointer self, crypto::key_pair key, validator_ports ports,
                  validator_options options)
      : self_(self),
        signer_(std::move(key)),
        me_(crypto::address_of(signer_.key.public_half())),
        ports_(std::move(ports)),
        options_(options),
        born_(*decode<genesis>(*ports_.ledger->genesis())),
        chain_(crypto::chain_id_of(born_)),
        tip_(*ports_.ledger->chain()) {
    rules::state_tree::builder tree;
    ports_.ledger->scan([&](byte_view row, byte_view value) {
      tree.add(row, value);
      return true;
    });
    tree_ = std::move(tree).finish();
    active_ = rules::active_models(ledger_reader(*ports_.ledger));
  }

  void start() {
    consensus::solo::solo_options pace;
    pace.block_interval_ms = options_.block_ms;
    core_ = std::make_unique<consensus::solo::solo_agreement>(core_tip(), signer_, pool_, pace);
    auditor_ =
        std::make_shared<auditor>(self_, ports_, options_, me_, born_.parameters.architecture,
                                  [weak = weak_from_this()](transaction_kind kind) {
                                    if (auto me = weak.lock()) me->send_own(std::move(kind));
                                  });
    announce_registry(registry_snapshot(ledger_reader(*ports_.ledger), {}, tip_.registry_version));
    step_now(consensus::solo::started{});
    auditor_->start();
  }

  message<schema::SubmitReceipt> submit(schema::SubmitTransaction::Reader request) {
    signed_transaction sent;
    sent.body = bytes_of(request.getBody());
    const auto by_sender = array_of<64>(request.getSignature());
    if (!by_sender) return receipt({}, rules::refusal::bad_signature);
    sent.by_sender = *by_sender;
    const auto [id, body, size, unreadable] = rules::read_transaction(sent);
    if (unreadable) return receipt(id, *unreadable);
    const auto sender = crypto::address_of(body->sender);
    const auto account = ports_.ledger->view().account(sender);
    if (const auto refused = at_the_door(*body, sender, account)) return receipt(id, *refused);
    const auto taken = pool_.add({id, sender, body->nonce, body->expiry, std::move(sent)},
                                 account->nonce, tip_.epoch);
    if (!taken) {
      return receipt(
          id, static_cast<std::uint16_t>(pool_refusals_from + static_cast<int>(taken.error())),
          consensus::to_text(taken.error()));
    }
    step_now(consensus::solo::transactions_waiting{});
    return receipt(id, 0, {});
  }

  /// What the block would refuse without charging anybody is not queued at all. Nonces are the
  /// pool's business.
  [[nodiscard]] rules::refused at_the_door(const transaction& sent, const address& sender,
                                           std::optional<account_row> account) const {
    if (account) account->nonce = sent.nonce;
    const bool is_duty = rules::is_vote(sent.kind) &&
                         rules::find_seat(ledger_reader(*ports_.ledger), sender).has_value();
    const auto fee = rules::base_fee(born_.parameters, tip_.fee_multiplier_ppm);
    return rules::check_door(sent, 0, chain_, tip_.epoch, account ? &*account : nullptr, *fee,
                             is_duty);
  }

  [[nodiscard]] message<schema::ChainStatus> status() const {
    return message<schema::ChainStatus>::build([&](auto out) {
      out.setChain(data_of(chain_));
      out.setHeight(tip_.height.value);
      out.setEpoch(tip_.epoch.value);
      out.setTimeMs(tip_.time_ms);
      out.setEpochStartMs(tip_.epoch_start_ms);
      out.setStateRoot(data_of(tree_.root()));
      out.setRegistryVersion(tip_.registry_version);
      out.setLastBlock(data_of(last_block()));
      out.setOpenTargets(
          static_cast<std::uint32_t>(ports_.ledger->view().open_targets(tip_.epoch).size()));
      out.setPendingTransactions(static_cast<std::uint32_t>(pool_.size()));
      out.setSupplyOk(rules::total_of(tip_) == supply_cap);
    });
  }

  [[nodiscard]] message<schema::Row> row(schema::GetRow::Reader request) const {
    return row_answer(ports_.ledger->view(), view_of(request.getKey()));
  }

  [[nodiscard]] message<schema::Rows> rows(schema::GetRows::Reader request) const {
    return rows_answer(ports_.ledger->view(), view_of(request.getPrefix()),
                       view_of(request.getAfter()), request.getMost());
  }

  [[nodiscard]] message<schema::TransactionStatus> transaction_status(
      schema::GetTransaction::Reader request) const {
    return transaction_answer(ports_.ledger->view(), id_or_zero<transaction_id>(request.getId()));
  }

  [[nodiscard]] message<schema::GenesisBytes> genesis_bytes() const {
    const auto born = encode(born_);
    return message<schema::GenesisBytes>::build([&](auto out) { out.setGenesis(data_of(born)); });
  }

  [[nodiscard]] message<schema::OpenTargets> open_targets(
      schema::GetOpenTargets::Reader request) const {
    return open_targets_answer(ports_.ledger->view(), tip_, request.getMost());
  }

 private:
  [[nodiscard]] std::uint64_t epoch_end_ms(const chain_row& chain) const {
    return chain.epoch_start_ms + born_.parameters.epoch_ms;
  }

  /// The chain row names the block before its own, since a block's id covers the root that the row
  /// is part of.
  [[nodiscard]] block_id last_block() const {
    const auto last = ports_.ledger->block_at(tip_.height);
    return last ? crypto::id_of(last->header) : rules::genesis_parent(chain_);
  }

  [[nodiscard]] consensus::solo::chain_tip core_tip() const {
    const auto committee = rules::read_committee(ledger_reader(*ports_.ledger));
    return {
        chain_,       tip_.epoch,   tip_.height,        tip_.height.value,
        last_block(), tip_.time_ms, epoch_end_ms(tip_), rules::seat_index(committee.seats, me_)};
  }

  // ---- the agreement core and what it asks for

  void step(const consensus::solo::event& event) {
    for (auto& effect : core_->step(event, now_ms_)) {
      std::visit([&](auto& wanted) { carry_out(wanted); }, effect);
    }
  }

  /// For events whose moment matters: the clock is asked first.
  void step_now(consensus::solo::event event) {
    self_->request(ports_.clock, caf::infinite, message<schema::Wait>{})
        .then(
            [me = shared_from_this(), event = std::move(event)](const message<schema::Time>& time) {
              me->now_ms_ = time.root().getUnixMs();
              me->step(event);
            });
  }

  void carry_out(const consensus::solo::set_timer& timer) {
    timer_at_ms_ = timer.at_ms;
    wait_for_timer(++timer_generation_);
  }

  void wait_for_timer(std::uint64_t generation) {
    const auto left = timer_at_ms_ > now_ms_ ? timer_at_ms_ - now_ms_ : 0;
    self_
        ->request(ports_.clock, caf::infinite, message<schema::Wait>::build([&](auto out) {
                    out.setMs(static_cast<std::uint32_t>(std::min(left, longest_wait_ms)));
                  }))
        .then([me = shared_from_this(), generation](const message<schema::Time>& time) {
          if (generation != me->timer_generation_) return;  // another timer has taken its place
          me->now_ms_ = time.root().getUnixMs();
          if (me->now_ms_ < me->timer_at_ms_) return me->wait_for_timer(generation);
          me->step(consensus::solo::timer_fired{});
        });
  }

  void carry_out(consensus::solo::execute_candidate& wanted) {
    rules::block_input input;
    input.height = wanted.candidate.header.height;
    input.time_ms = wanted.candidate.header.time_ms;
    input.parent = wanted.candidate.header.parent;
    input.signers = {me_};
    for (const auto& sent : wanted.candidate.payload) {
      input.transactions.push_back(rules::read_transaction(sent));
    }
    const ledger_reader reader(*ports_.ledger);
    if (rules::check_block(input, tip_))
      return step(consensus::solo::execution_failed{wanted.ticket});
    auto begun =
        std::make_shared<rules::execution>(rules::begin_block(input, reader, active_, born_));
    if (begun->draws().empty()) return finish(wanted.ticket, begun, {});
    draw(wanted.ticket, begun, reader);
  }

  /// The target generator draws; the rules assign. A registry that has lost its place gets a
  /// snapshot next time.
  void draw(std::uint64_t ticket, const std::shared_ptr<rules::execution>& begun,
            const ledger_reader& reader) {
    const auto delta =
        send_snapshot_
            ? registry_snapshot(reader, begun->registry(), begun->registry_version())
            : registry_delta(begun->registry(), tip_.registry_version, begun->registry_version());
    self_
        ->request(ports_.target_generator, caf::infinite,
                  message<schema::DrawTargets>::build([&](auto out) {
                    auto seeds = out.initSeeds(static_cast<unsigned>(begun->draws().size()));
                    for (unsigned i = 0; i < begun->draws().size(); ++i)
                      seeds.set(i, begun->draws()[i].seed);
                    out.setDim(born_.parameters.architecture.dim);
                    out.setDelta(delta.root());
                  }))
        .then(
            [me = shared_from_this(), ticket, begun](const message<schema::DrawnTargets>& reply) {
              const auto drawn = drawn_targets(begun->draws(), reply.root());
              if (reply.root().getRefusal() != 0 || rules::check_draws(*begun, drawn)) {
                me->send_snapshot_ = true;
                return me->step(consensus::solo::execution_failed{ticket});
              }
              me->send_snapshot_ = false;
              me->finish(ticket, begun, drawn);
            },
            [me = shared_from_this(), ticket](caf::error&) {
              me->send_snapshot_ = true;
              me->step(consensus::solo::execution_failed{ticket});
            });
  }

  void finish(std::uint64_t ticket, const std::shared_ptr<rules::execution>& begun,
              const rules::drawn_targets& drawn) {
    result_ = rules::finish(std::move(*begun), drawn);
    consensus::solo::executed done;
    done.ticket = ticket;
    prepared_ = tree_.prepare(result_.changes);
    done.root = prepared_.root;
    done.closes_epoch = result_.epoch_closed;
    done.epoch_end_ms = epoch_end_ms(result_.chain);
    done.seat = core_->tip().seat;
    if (result_.epoch_closed) {
      done.next_committee = rules::committee_hash(result_.next_committee);
      done.seat = rules::seat_index(result_.next_committee, me_);
    }
    step(done);
  }

  /// Block and effects in one storage transaction. A disk that fails ends the validator: nothing
  /// was announced, and a restart finds the ledger as the last commit left it.
  void carry_out(const consensus::solo::persist_block& wanted) {
    try {
      ports_.ledger->commit_block(wanted.whole, result_.changes, result_.events);
    } catch (const std::exception& failure) {
      step(consensus::solo::store_failed{wanted.ticket});
      self_->quit(caf::make_error(caf::sec::runtime_error, failure.what()));
      return;
    }
    tree_.apply(std::move(prepared_));
    active_.apply(result_.changes);
    step(consensus::solo::stored{wanted.ticket});
  }

  void carry_out(const consensus::solo::announce_block& wanted) {
    const auto before = tip_.registry_version;
    tip_ = result_.chain;
    std::vector<transaction_id> contained;
    for (const auto& outcome : result_.outcomes) contained.push_back(outcome.id);
    const auto view = ports_.ledger->view();
    pool_.block_done(contained, [&](const address& who) {
      const auto account = view.account(who);
      return account ? account->nonce : 0;
    });
    if (result_.epoch_closed) pool_.expire(tip_.epoch);
    if (tip_.registry_version != before) {
      announce_registry(full_delta(view, result_.registry, before, tip_.registry_version));
    }
    const auto notice = block_notice(wanted.id, result_, tree_.root());
    for (const auto& watcher : ports_.watchers) self_->send(watcher, notice);
    auditor_->notice(result_.events);
  }

  /// Registry and router hear of every change, also of those that no draw needed.
  void announce_registry(const message<schema::RegistryDelta>& delta) {
    self_->send(ports_.registry, delta);
    self_
        ->request(ports_.target_generator, caf::infinite,
                  message<schema::DrawTargets>::build([&](auto out) {
                    out.setDim(born_.parameters.architecture.dim);
                    out.setDelta(delta.root());
                  }))
        .then(
            [me = shared_from_this()](const message<schema::DrawnTargets>& reply) {
              if (reply.root().getRefusal() != 0) me->send_snapshot_ = true;
            },
            [me = shared_from_this()](caf::error&) { me->send_snapshot_ = true; });
  }

  // ---- this member's own transactions

  void send_own(transaction_kind kind) {
    const auto account = ports_.ledger->view().account(me_);
    if (!account) return;
    transaction vote;
    vote.chain = chain_;
    vote.sender = signer_.key.public_half();
    vote.nonce = pool_.next_free_nonce(me_, account->nonce);
    vote.expiry = tip_.epoch.next();
    vote.kind = std::move(kind);
    auto sent = crypto::sign_transaction(signer_.key, vote);
    const auto id = crypto::id_of(sent);
    // A full pool loses the vote; the audit is found again when the validator starts anew.
    if (pool_.add({id, me_, vote.nonce, vote.expiry, std::move(sent)}, account->nonce,
                  tip_.epoch)) {
      step_now(consensus::solo::transactions_waiting{});
    }
  }

  validator_actor::pointer self_;
  key_signer signer_;
  address me_;
  validator_ports ports_;
  validator_options options_;
  genesis born_;
  chain_id chain_;
  chain_row tip_;
  rules::state_tree tree_;
  rules::active_models active_;
  consensus::mempool pool_;
  std::unique_ptr<consensus::solo::solo_agreement> core_;
  std::shared_ptr<auditor> auditor_;
  rules::effects result_;  // of the candidate that is being agreed on
  rules::state_tree::prepared prepared_;
  bool send_snapshot_ = false;  // the router may have lost its place
  std::uint64_t now_ms_ = 0;
  std::uint64_t timer_at_ms_ = 0;
  std::uint64_t timer_generation_ = 0;
};

}  // namespace

expected<void, std::string> open_ledger(storage::ledger_store& ledger, const genesis& born) {
  if (const auto refusal = rules::check_genesis(born)) {
    return make_unexpected("the genesis is not valid: " + std::string(rules::to_text(*refusal)));
  }
  const auto bytes_of_genesis = encode(born);
  if (!ledger.initialised()) {
    ledger.init(bytes_of_genesis, rules::genesis_rows(born));
  } else if (*ledger.genesis() != bytes_of_genesis) {
    return make_unexpected(std::string("the ledger here belongs to another network"));
  }
  return {};
}

validator_actor::behavior_type validator(validator_actor::pointer self, crypto::key_pair key,
                                         validator_ports ports, validator_options options) {
  auto logic = std::make_shared<validator_logic>(self, std::move(key), std::move(ports), options);
  logic->start();
  return {[logic](const message<schema::SubmitTransaction>& request) {
            return logic->submit(request.root());
          },
          [logic](const message<schema::GetChain>&) { return logic->status(); },
          [logic](const message<schema::GetRow>& request) { return logic->row(request.root()); },
          [logic](const message<schema::GetOpenTargets>& request) {
            return logic->open_targets(request.root());
          },
          [logic](const message<schema::GetRows>& request) { return logic->rows(request.root()); },
          [logic](const message<schema::GetTransaction>& request) {
            return logic->transaction_status(request.root());
          },
          [logic](const message<schema::GetGenesis>&) { return logic->genesis_bytes(); },
          [](const message<schema::FromPeer>&) { return message<schema::Ack>{}; }};
}

}  // namespace soma::actors
