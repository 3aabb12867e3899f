#include "actors/validator/validator.hpp"

#include <algorithm>
#include <caf/exit_reason.hpp>
#include <iostream>

#include "actors/execution/ledger_reader.hpp"
#include "actors/interface/describe_error.hpp"
#include "actors/public_answers/event_page.hpp"
#include "actors/public_answers/explanation.hpp"
#include "actors/public_answers/finality.hpp"
#include "actors/public_answers/history.hpp"
#include "actors/public_answers/proven_rows.hpp"
#include "actors/rules/execution.hpp"
#include "actors/rules/genesis_state.hpp"
#include "actors/validator/agreement_driver.hpp"
#include "actors/validator/auditor.hpp"
#include "actors/validator/ledger_answers.hpp"
#include "actors/validator/registry_delta.hpp"
#include "actors/validator/snapshot_keeper.hpp"
#include "actors/validator/transaction_gate.hpp"
#include "messages/codec/codec.hpp"
#include "messages/codec/model_entry.hpp"
#include "messages/signing/signing.hpp"

namespace soma::validator {
namespace {

schema::SigningState signing_state_of(const consensus::simplex& core, const public_key& key) {
  if (core.alarmed()) return schema::SigningState::ALARMED;
  if (core.mute()) return schema::SigningState::MUTE;
  if (core.fenced()) return schema::SigningState::FENCED;
  if (!core.members().seat_of(key)) return schema::SigningState::NO_SEAT;
  return core.may_sign() ? schema::SigningState::MEMBER : schema::SigningState::LISTENING;
}

/// With the patience that the epochs of the network allow: all attempts together end long before
/// the epoch in which the audit is due.
validator_options with_patience(validator_options options, const soma::genesis& genesis) {
  if (options.fetch_ms == 0) {
    options.fetch_ms = static_cast<std::uint32_t>(
        std::clamp<std::uint64_t>(genesis.parameters.epoch_ms / 16, 1'000, 600'000));
  }
  return options;
}

/// Owns the parts of one validator and passes their calls on to each other.
class validator_assembly final : public validator_parts {
 public:
  validator_assembly(validator_actor::pointer self, crypto::key_pair key, validator_ports ports,
                     validator_options options)
      : self_(self),
        key_(std::move(key)),
        ports_(std::move(ports)),
        genesis_(*decode<soma::genesis>(*ports_.ledger->genesis())),
        build_(options.build),
        executor_(std::make_shared<block_executor>(self_, *this, ports_.target_generator,
                                                   ports_.ledger, genesis_, key_, taken_tree())),
        gate_(*this, *ports_.ledger, *executor_, genesis_, key_),
        driver_(std::make_shared<agreement_driver>(self_, *this, ports_, options, key_, genesis_,
                                                   executor_, gate_.pool())),
        auditor_(std::make_shared<auditor>(self_, *this, ports_, with_patience(options, genesis_),
                                           crypto::address_of(key_.public_half()),
                                           genesis_.parameters)),
        snapshots_(std::make_shared<snapshot_keeper>(self_, *this, ports_)) {}

  void start() {
    self_->send(ports_.registry, registry_snapshot(execution::ledger_reader(*ports_.ledger), {},
                                                   tip().registry_version));
    executor_->update_router();
    // A process that is behind its peers catches up first.
    look_at_onion_ = tip().height.value + blocks_before_first_look;
    driver_->start();
    auditor_->start();
  }

  [[nodiscard]] const public_key& key() const { return key_.public_half(); }
  [[nodiscard]] const soma::genesis& genesis() const { return genesis_; }
  [[nodiscard]] const std::string& build() const { return build_; }
  [[nodiscard]] tables::ledger_view ledger() const { return ports_.ledger->view(); }
  [[nodiscard]] const chain_row& tip() const { return executor_->state().chain(); }
  [[nodiscard]] const execution::execution_tree& executions() const { return executor_->state(); }
  [[nodiscard]] transaction_gate& gate() { return gate_; }
  [[nodiscard]] agreement_driver& driver() { return *driver_; }
  [[nodiscard]] public_answers::row_prover& prover() { return prover_; }

  /// The role that exchanges blobs answers whoever has asked. Without one nothing is known.
  [[nodiscard]] caf::result<message<schema::Holders>> ask_holders(
      const message<schema::GetHolders>& asked) {
    if (!ports_.blobs) return message<schema::Holders>{};
    return self_->delegate(ports_.blobs, asked);
  }

  void block_committed(const consensus::final_block& committed, const rules::effects& done,
                       std::uint64_t version_before) override {
    gate_.block_done(done);
    if (tip().registry_version != version_before) {
      self_->send(ports_.registry,
                  full_delta(ledger(), done.registry, version_before, tip().registry_version));
    }
    const auto notice = block_notice(committed.block->id, done, executions().tree().root());
    for (const auto& watcher : ports_.watchers) self_->send(watcher, notice);
    auditor_->notice(done.events);
    renew_onion();
    if (committed.epoch_end) snapshots_->epoch_begins(executions().tree(), driver_->now_ms());
  }
  void equivocation_found(tx::report_equivocation evidence) override {
    const auto whose = crypto::address_of(evidence.signer).text();
    const bool sent = gate_.send_own(std::move(evidence));
    notify_operator("a validator said two things that exclude each other: the holder of " + whose +
                    (sent ? "; reported" : "; it could not be reported"));
  }
  void transactions_arrived(consensus::peer_number peer, const peer::transactions& batch) override {
    gate_.take_from_peer(peer, batch, driver_->now_ms());
  }
  void state_asked_for(consensus::peer_number peer, const peer::ask_state& asked) override {
    if (auto part = snapshots_->answer(peer, asked, driver_->now_ms())) {
      driver_->send_to_peers(std::move(*part), {peer});
    }
  }
  void peer_gone(consensus::peer_number peer) override {
    gate_.peer_gone(peer);
    snapshots_->peer_gone(peer);
  }
  void batch_is_due() override { gate_.flush(); }

  void transaction_pooled() override { driver_->payload_waiting(); }
  void batch_begun() override { driver_->gossip_in(batch_ms); }
  void send_to_all_peers(const peer_message& message) override { driver_->send_to_peers(message); }
  void misbehaved(consensus::peer_number peer, const std::string& why) override {
    driver_->blame(peer, why);
  }
  void vote(transaction_kind kind) override { (void)gate_.send_own(std::move(kind)); }
  void notify_operator(const std::string& line) override {
    if (ports_.notify_operator) return ports_.notify_operator(line);
    std::cerr << "validator: " + line + "\n";
  }

 private:
  [[nodiscard]] std::optional<state_tree::tree> taken_tree() {
    return ports_.tree ? std::exchange(*ports_.tree, std::nullopt) : std::nullopt;
  }

  /// Looks from time to time whether this validator needs a new hash onion, and commits to it. A
  /// commitment that was lost on its way is sent again.
  void renew_onion() {
    if (tip().height.value < look_at_onion_) return;
    look_at_onion_ = tip().height.value + blocks_between_looks;
    if (auto onion = executor_->onion_wanted()) (void)gate_.send_own(std::move(*onion));
  }

  static constexpr std::uint64_t blocks_before_first_look = 32, blocks_between_looks = 100;

  validator_actor::pointer self_;
  crypto::key_pair key_;
  validator_ports ports_;
  soma::genesis genesis_;
  std::string build_;
  std::shared_ptr<block_executor> executor_;
  transaction_gate gate_;
  std::shared_ptr<agreement_driver> driver_;
  std::shared_ptr<auditor> auditor_;
  std::shared_ptr<snapshot_keeper> snapshots_;
  public_answers::row_prover prover_;
  std::uint64_t look_at_onion_ = 0;  // the height from which on to look again
};

message<schema::ChainStatus> status(validator_assembly& validator) {
  return message<schema::ChainStatus>::build([&](auto out) {
    const auto& core = validator.driver().core();
    const auto& tip = validator.tip();
    out.setChain(data_of(core.base().chain));
    out.setHeight(tip.height.value);
    out.setEpoch(tip.epoch.value);
    out.setTimeMs(tip.time_ms);
    out.setEpochStartMs(tip.epoch_start_ms);
    out.setStateRoot(data_of(validator.executions().tree().root()));
    out.setRegistryVersion(tip.registry_version);
    out.setLastBlock(data_of(validator.executions().base()));
    out.setView(core.view().value);
    out.setPeers(static_cast<std::uint32_t>(validator.driver().peers()));
    out.setSigns(core.may_sign());
    out.setSigning(signing_state_of(core, validator.key()));
    out.setBuild(validator.build());
    out.setOpenTargets(
        static_cast<std::uint32_t>(validator.ledger().open_targets(tip.epoch).size()));
    out.setPendingTransactions(static_cast<std::uint32_t>(validator.gate().pool().size()));
    out.setSupplyOk(ledger::total_of(tip) == supply_cap);
  });
}

message<schema::GenesisBytes> genesis_bytes(const soma::genesis& genesis) {
  const auto canonical = encode(genesis);
  return message<schema::GenesisBytes>::build(
      [&](auto out) { out.setGenesis(data_of(canonical)); });
}

}  // namespace

expected<void, std::string> open_ledger(tables::ledger_store& ledger,
                                        const soma::genesis& genesis) {
  if (const auto refusal = rules::check_genesis(genesis)) {
    return make_unexpected("the genesis is not valid: " + std::string(rules::to_text(*refusal)));
  }
  const auto bytes_of_genesis = encode(genesis);
  if (!ledger.initialised()) {
    ledger.init(bytes_of_genesis, rules::genesis_rows(genesis));
  } else if (*ledger.genesis() != bytes_of_genesis) {
    return make_unexpected(std::string("the ledger here belongs to another network"));
  }
  return {};
}

validator_actor::behavior_type validator(validator_actor::stateful_pointer<validator_state> self,
                                         crypto::key_pair key, validator_ports ports,
                                         validator_options options) {
  name_exceptions(*self);
  SOMA_ASSERT(ports.ledger && ports.ledger->initialised(), "a ledger that has its genesis");
  SOMA_ASSERT(ports.votes, "a validator remembers its votes");
  const auto assembly =
      std::make_shared<validator_assembly>(self, std::move(key), std::move(ports), options);
  self->state.parts = assembly;
  assembly->start();
  const auto at = assembly.get();  // self->state.parts keeps it alive
  return {[at](const message<schema::SubmitTransaction>& offered) {
            return at->gate().submit(offered.root());
          },
          [at](const message<schema::GetChain>&) { return status(*at); },
          [at](const message<schema::GetRow>& wanted) {
            return row_answer(at->ledger(), view_of(wanted.root().getKey()));
          },
          [at](const message<schema::GetOpenTargets>& wanted) {
            return open_targets_answer(at->ledger(), at->tip(), wanted.root().getMost());
          },
          [at](const message<schema::GetRows>& wanted) {
            return rows_answer(at->ledger(), view_of(wanted.root().getPrefix()),
                               view_of(wanted.root().getAfter()), wanted.root().getMost(),
                               wanted.root().getFrom());
          },
          [at](const message<schema::GetTransaction>& wanted) {
            return transaction_answer(at->ledger(),
                                      id_or_zero<transaction_id>(wanted.root().getId()));
          },
          [at](const message<schema::GetGenesis>&) { return genesis_bytes(at->genesis()); },
          [at](const message<schema::GetHolders>& asked) { return at->ask_holders(asked); },
          [at](const message<schema::GetProvenRows>& asked) {
            // No block is committed between the two, since blocks are committed on this thread.
            return at->prover().answer(at->ledger(), at->executions().tree(), asked.root());
          },
          [at](const message<schema::GetEpochProofs>& asked) {
            return public_answers::epoch_proofs_answer(at->ledger(), asked.root());
          },
          [at](const message<schema::GetBlocks>& asked) {
            return public_answers::blocks_answer(at->ledger(), asked.root());
          },
          [at](const message<schema::GetFinality>& asked) {
            return public_answers::finality_answer(at->ledger(), asked.root());
          },
          [at](const message<schema::GetEvents>& asked) {
            return public_answers::event_page_answer(at->ledger(), asked.root());
          },
          [at](const message<schema::GetExplanation>& asked) {
            return public_answers::explanation_answer(at->ledger(), asked.root());
          },
          [at](const message<schema::FromPeer>& from) { return at->driver().take(from); }};
}

}  // namespace soma::validator
