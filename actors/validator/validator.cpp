#include "actors/validator/validator.hpp"

#include <caf/exit_reason.hpp>

#include "actors/rules/derived_ids.hpp"
#include "actors/rules/execution.hpp"
#include "actors/rules/genesis_state.hpp"
#include "actors/validator/agreement_driver.hpp"
#include "actors/validator/auditor.hpp"
#include "actors/validator/ledger_answers.hpp"
#include "actors/validator/ledger_reader.hpp"
#include "actors/validator/registry_delta.hpp"
#include "actors/validator/snapshot_keeper.hpp"
#include "actors/validator/transaction_gate.hpp"
#include "messages/crypto/transactions.hpp"
#include "messages/types/codec.hpp"
#include "messages/types/fields.hpp"

namespace soma::actors {
namespace {

/// For people: what the validator is to its peers.
const char* standing(const consensus::simplex& core, const public_key& key) {
  if (core.alarmed()) return "alarmed";
  if (core.mute()) return "mute";
  if (core.fenced()) return "fenced";
  if (!core.members().seat_of(key)) return "no seat";
  return core.may_sign() ? "member" : "listening";
}

class validator_logic : public std::enable_shared_from_this<validator_logic> {
 public:
  validator_logic(validator_actor::pointer self, crypto::key_pair key, validator_ports ports,
                  validator_options options)
      : self_(self),
        key_(std::move(key)),
        ports_(std::move(ports)),
        options_(options),
        born_(*decode<genesis>(*ports_.ledger->genesis())),
        executor_(std::make_shared<block_executor>(self_, ports_.target_generator, ports_.ledger,
                                                   born_)) {}

  void start() {
    gate_ = std::make_unique<transaction_gate>(
        *ports_.ledger, *executor_, born_, key_,
        transaction_gate::hooks{[this] { driver_->payload_waiting(); },
                                [this] { driver_->gossip_in(batch_ms); },
                                [this](const peer_message& batch) { driver_->tell_peers(batch); }});
    agreement_hooks hooks;
    hooks.on_block = [this](const consensus::final_block& b, const rules::effects& done,
                            std::uint64_t version) { announce(b, done, version); };
    hooks.on_evidence = [this](tx::report_equivocation evidence) { report(std::move(evidence)); };
    hooks.on_transactions = [this](consensus::peer_number peer, const peer::transactions& list) {
      gate_->take_from_peer(peer, list, driver_->now_ms());
    };
    hooks.on_ask_state = [this](consensus::peer_number peer, const peer::ask_state& asked) {
      if (auto part = snapshots_->answer(peer, asked, driver_->now_ms())) {
        driver_->tell_peers(std::move(*part), {peer});
      }
    };
    hooks.on_gone = [this](consensus::peer_number peer) {
      gate_->peer_gone(peer);
      snapshots_->peer_gone(peer);
    };
    hooks.on_gossip_time = [this] { gate_->flush(); };
    driver_ = std::make_shared<agreement_driver>(self_, ports_, options_, key_, born_, executor_,
                                                 gate_->pool(), std::move(hooks));
    auditor_ = std::make_shared<auditor>(
        self_, ports_, options_, crypto::address_of(key_.public_half()),
        born_.parameters.architecture, [weak = weak_from_this()](transaction_kind kind) {
          // A full pool loses the vote; the audit is found again when the
          // validator starts anew.
          if (auto me = weak.lock()) (void)me->gate_->send_own(std::move(kind));
        });
    snapshots_ = std::make_shared<snapshot_keeper>(
        self_, ports_, [this](const std::string& line) { driver_->tell_operator(line); });
    self_->send(ports_.registry,
                registry_snapshot(ledger_reader(*ports_.ledger), {}, tip().registry_version));
    executor_->tell_router();
    driver_->start();
    auditor_->start();
  }

  message<schema::SubmitReceipt> submit(schema::SubmitTransaction::Reader request) {
    return gate_->submit(request);
  }

  auto take(const message<schema::FromPeer>& from) { return driver_->take(from); }

  [[nodiscard]] message<schema::ChainStatus> status() const {
    return message<schema::ChainStatus>::build([&](auto out) {
      const auto& core = driver_->core();
      out.setChain(data_of(core.base().chain));
      out.setHeight(tip().height.value);
      out.setEpoch(tip().epoch.value);
      out.setTimeMs(tip().time_ms);
      out.setEpochStartMs(tip().epoch_start_ms);
      out.setStateRoot(data_of(executor_->state().tree().root()));
      out.setRegistryVersion(tip().registry_version);
      out.setLastBlock(data_of(executor_->state().base()));
      out.setView(core.view());
      out.setPeers(static_cast<std::uint32_t>(driver_->peers()));
      out.setSigns(core.may_sign());
      out.setStanding(standing(core, key_.public_half()));
      out.setOpenTargets(
          static_cast<std::uint32_t>(ports_.ledger->view().open_targets(tip().epoch).size()));
      out.setPendingTransactions(static_cast<std::uint32_t>(gate_->pool().size()));
      out.setSupplyOk(rules::total_of(tip()) == supply_cap);
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
    return open_targets_answer(ports_.ledger->view(), tip(), request.getMost());
  }

 private:
  [[nodiscard]] const chain_row& tip() const { return executor_->state().chain(); }

  /// The block is durable. Whoever lives by the chain hears of it, each once.
  void announce(const consensus::final_block& what, const rules::effects& done,
                std::uint64_t version_before) {
    gate_->block_done(done);
    if (tip().registry_version != version_before) {
      self_->send(ports_.registry, full_delta(ports_.ledger->view(), done.registry, version_before,
                                              tip().registry_version));
    }
    const auto notice = block_notice(what.what->id, done, executor_->state().tree().root());
    for (const auto& watcher : ports_.watchers) self_->send(watcher, notice);
    auditor_->notice(done.events);
    if (what.epoch_end) {
      snapshots_->epoch_begins(executor_->state().tree(), driver_->now_ms());
    }
  }

  void report(tx::report_equivocation evidence) {
    const auto whose = crypto::address_of(evidence.signer).text();
    const bool sent = gate_->send_own(std::move(evidence));
    driver_->tell_operator("a validator said two things that exclude each other: the holder of " +
                           whose + (sent ? "; reported" : "; it could not be reported"));
  }

  validator_actor::pointer self_;
  crypto::key_pair key_;
  validator_ports ports_;
  validator_options options_;
  genesis born_;
  std::shared_ptr<block_executor> executor_;
  std::unique_ptr<transaction_gate> gate_;
  std::shared_ptr<agreement_driver> driver_;
  std::shared_ptr<auditor> auditor_;
  std::shared_ptr<snapshot_keeper> snapshots_;
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
          [logic](const message<schema::FromPeer>& from) { return logic->take(from); }};
}

}  // namespace soma::actors
