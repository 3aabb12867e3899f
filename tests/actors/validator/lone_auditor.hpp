// An auditor without the rest of its validator: the test writes the rows of the ledger, decides
// when and what the scorer answers, and reads the votes.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <map>

#include "actors/localnet/world.hpp"
#include "actors/validator/auditor.hpp"
#include "tests/storage/tables/ledger_chain.hpp"

namespace soma::test {

/// The parts of a validator of which an auditor needs nothing but to vote.
class vote_recorder final : public validator::validator_parts {
 public:
  std::multimap<target_id, audit_verdict> on_submissions;
  std::multimap<model_version_ref, model_verdict> on_models;

  void vote(transaction_kind kind) override {
    if (const auto* submission = std::get_if<tx::vote_on_submission>(&kind)) {
      on_submissions.emplace(submission->target, submission->verdict);
    } else if (const auto* model = std::get_if<tx::vote_on_model>(&kind)) {
      on_models.emplace(model->version, model->verdict);
    } else {
      unexpected();
    }
  }
  [[nodiscard]] std::size_t size() const { return on_submissions.size() + on_models.size(); }

  void block_committed(const consensus::final_block&, const rules::effects&,
                       std::uint64_t) override {
    unexpected();
  }
  void equivocation_found(tx::report_equivocation) override { unexpected(); }
  void transactions_arrived(consensus::peer_number, const peer::transactions&) override {
    unexpected();
  }
  void state_asked_for(consensus::peer_number, const peer::ask_state&) override { unexpected(); }
  void peer_gone(consensus::peer_number) override { unexpected(); }
  void batch_is_due() override { unexpected(); }
  void transaction_pooled() override { unexpected(); }
  void batch_begun() override { unexpected(); }
  void send_to_all_peers(const peer_message&) override { unexpected(); }
  void misbehaved(consensus::peer_number, const std::string&) override { unexpected(); }
  void notify_operator(const std::string&) override { unexpected(); }

 private:
  static void unexpected() { FAIL_CHECK("an auditor does nothing but vote"); }
};

/// A request that the scorer has not answered yet.
template <class Request, class Reply>
struct open_request {
  message<Request> asked;
  caf::typed_response_promise<message<Reply>> answer;
};
using open_score = open_request<schema::ScoreRequest, schema::ScoreReport>;
using open_check = open_request<schema::CheckModel, schema::ModelCheck>;

/// What the actors of a lone auditor share with the test. GetChain makes the validator, and
/// GetPoolStatus makes the scorer, do what stands here for it.
struct auditor_desk {
  std::function<void(validator::auditor&)> by_validator;
  std::function<void()> by_scorer;
  std::function<void()> by_keeper;
  std::vector<open_request<schema::FetchBlobs, schema::FetchedBlobs>> fetches;
  std::vector<open_score> scores;
  std::vector<open_check> checks;
};

inline scorer::scorer_actor::behavior_type held_scorer(scorer::scorer_actor::pointer self,
                                                       std::shared_ptr<auditor_desk> desk) {
  return {[self, desk](const message<schema::ScoreRequest>& asked) {
            const auto answer = self->make_response_promise<message<schema::ScoreReport>>();
            desk->scores.push_back({asked, answer});
            return answer;
          },
          [self, desk](const message<schema::CheckModel>& asked) {
            const auto answer = self->make_response_promise<message<schema::ModelCheck>>();
            desk->checks.push_back({asked, answer});
            return answer;
          },
          [](const message<schema::PredictRequest>&) { return message<schema::PredictReport>{}; },
          [](const message<schema::JoinPool>&) { return message<schema::Ack>{}; },
          [desk](const message<schema::GetPoolStatus>&) {
            desk->by_scorer();
            return message<schema::PoolStatus>{};
          }};
}

/// FromPeer makes it do what stands in the desk for it.
inline blob_keeper::blob_keeper_actor::behavior_type held_keeper(
    blob_keeper::blob_keeper_actor::pointer self, std::shared_ptr<auditor_desk> desk) {
  return {[self, desk](const message<schema::FetchBlobs>& asked) {
            const auto answer = self->make_response_promise<message<schema::FetchedBlobs>>();
            desk->fetches.push_back({asked, answer});
            return answer;
          },
          [](const message<schema::GetHolders>&) { return message<schema::Holders>{}; },
          [desk](const message<schema::FromPeer>&) {
            desk->by_keeper();
            return message<schema::Ack>{};
          },
          [](const message<schema::BlockNotice>&) {}};
}

struct auditing_state {
  std::shared_ptr<validator::auditor> audits;
};

/// A validator that does nothing but audit. `parts` outlives it.
inline validator::validator_actor::behavior_type auditing_validator(
    validator::validator_actor::stateful_pointer<auditing_state> self,
    std::shared_ptr<auditor_desk> desk, validator::validator_parts* parts,
    const validator::validator_ports& ports, validator::validator_options options, address member,
    const genesis_parameters& parameters) {
  self->state.audits =
      std::make_shared<validator::auditor>(self, *parts, ports, options, member, parameters);
  return {
      [](const message<schema::SubmitTransaction>&) { return message<schema::SubmitReceipt>{}; },
      [self, desk](const message<schema::GetChain>&) {
        desk->by_validator(*self->state.audits);
        return message<schema::ChainStatus>{};
      },
      [](const message<schema::GetRow>&) { return message<schema::Row>{}; },
      [](const message<schema::GetOpenTargets>&) { return message<schema::OpenTargets>{}; },
      [](const message<schema::GetHolders>&) { return message<schema::Holders>{}; },
      [](const message<schema::GetProvenRows>&) { return message<schema::ProvenRows>{}; },
      [](const message<schema::GetEpochProofs>&) { return message<schema::EpochProofs>{}; },
      [](const message<schema::GetBlocks>&) { return message<schema::FinalBlocks>{}; },
      [](const message<schema::GetFinality>&) { return message<schema::FinalityAnswer>{}; },
      [](const message<schema::GetEvents>&) { return message<schema::EventPage>{}; },
      [](const message<schema::GetExplanation>&) { return message<schema::Explanation>{}; },
      [](const message<schema::GetRows>&) { return message<schema::Rows>{}; },
      [](const message<schema::GetTransaction>&) { return message<schema::TransactionStatus>{}; },
      [](const message<schema::GetGenesis>&) { return message<schema::GenesisBytes>{}; },
      [](const message<schema::FromPeer>&) { return message<schema::Ack>{}; }};
}

/// A committee of these members; the first has the power that the others leave.
inline row_change committee_of(std::vector<address> members) {
  committee_row committee;
  const auto first = members.front();
  std::sort(members.begin(), members.end());
  const auto share = total_power.value / static_cast<std::uint32_t>(members.size());
  const auto rest = total_power.value - share * static_cast<std::uint32_t>(members.size());
  for (const auto& member : members)
    committee.seats.push_back({member, {}, {share + (member == first ? rest : 0)}});
  return {committee_key(), encode(committee)};
}

/// Each function returns when no actor has anything left to do. Time moves on in `pass` alone.
class lone_auditor {
 public:
  static constexpr std::uint64_t start_ms = 1'000'000'000;

  lone_auditor(std::vector<row_change> rows, validator::validator_options options,
               const address& member = {}, const genesis_parameters& parameters = {},
               bool has_keeper = false)
      : block_ms_(options.block_ms),
        ledger_(std::make_shared<tables::ledger_store>(
            folder_.path() / "ledger", tables::ledger_options{1u << 26, false, false})),
        desk_(std::make_shared<auditor_desk>()),
        world_(1, 1'000'000) {
    rows.push_back({chain_key(), encode(with<chain_row>([](auto& c) { c.time_ms = start_ms; }))});
    const auto is_committee = [](const row_change& row) { return row.key == committee_key(); };
    if (std::ranges::none_of(rows, is_committee)) rows.push_back(committee_of({member}));
    ledger_->init(genesis_bytes(), rows);
    validator::validator_ports ports;
    ports.clock = world_.clock();
    ports.scorer = scorer_ = world_.system().spawn(held_scorer, desk_);
    ports.ledger = ledger_;
    if (has_keeper) ports.blobs = keeper_ = world_.system().spawn(held_keeper, desk_);
    handle_ = world_.system().spawn(auditing_validator, desk_, &votes_, ports, options, member,
                                    parameters);
  }
  ~lone_auditor() {
    // A request that was never answered would keep the actors alive.
    desk_->scores.clear();
    desk_->checks.clear();
    desk_->fetches.clear();
  }
  lone_auditor(const lone_auditor&) = delete;
  lone_auditor& operator=(const lone_auditor&) = delete;

  void start() {
    tell([](validator::auditor& audits) { audits.start(); });
  }
  void notice(const std::vector<event>& events) {
    tell([&](validator::auditor& audits) { audits.notice(events); });
  }
  /// A block that changes these rows, at a time that only the ledger has. A block that leads into
  /// another epoch than the first is the last of the one before.
  void commit(const std::vector<row_change>& changes, std::uint64_t time_ms = start_ms,
              epoch_number epoch = {}) {
    auto made = make_block(ledger_->view().height().value + 1, {});
    auto chain = chain_row_at(ledger_->view().height().value + 1);
    chain.time_ms = time_ms;
    chain.epoch = epoch;
    if (epoch.value > 0) chain.epoch_first_block = chain.height.next();
    made.changes = {{chain_key(), encode(chain)}};
    made.changes.insert(made.changes.end(), changes.begin(), changes.end());
    made.commit_to(*ledger_);
  }
  /// Lets so much time pass that everything which was put off is tried again.
  void pass() {
    const auto until_ms = world_.now_ms() + 2 * block_ms_ + 1;
    world_.run_until([] { return false; }, [] { return false; }, until_ms);
  }

  /// From now on the clock refuses everything.
  void lose_clock() {
    caf::anon_send_exit(world_.clock(), caf::exit_reason::kill);
    pass();
  }

  [[nodiscard]] const std::vector<open_score>& scores() const { return desk_->scores; }
  [[nodiscard]] const std::vector<open_check>& checks() const { return desk_->checks; }
  /// What the auditor waits for; only with a keeper.
  [[nodiscard]] const auto& fetches() const { return desk_->fetches; }
  [[nodiscard]] std::size_t open() const { return scores().size() + checks().size(); }
  [[nodiscard]] const vote_recorder& votes() const { return votes_; }

  /// Answers one open request; without an answer the request fails, as when the scorer has died.
  void answer_score(std::size_t index, const std::optional<message<schema::ScoreReport>>& report) {
    answer(desk_->scores, index, report);
  }
  void answer_check(std::size_t index, const std::optional<message<schema::ModelCheck>>& check) {
    answer(desk_->checks, index, check);
  }
  void answer_fetch(std::size_t index, const message<schema::FetchedBlobs>& fetched) {
    auto promise = desk_->fetches.at(index).answer;
    desk_->fetches.erase(desk_->fetches.begin() + static_cast<std::ptrdiff_t>(index));
    desk_->by_keeper = [&] { promise.deliver(fetched); };
    (void)world_.ask<schema::Ack>(keeper_, message<schema::FromPeer>{});
  }

 private:
  void tell(std::function<void(validator::auditor&)> what) {
    desk_->by_validator = std::move(what);
    (void)world_.ask<schema::ChainStatus>(handle_, message<schema::GetChain>{});
  }
  template <class Open, class Reply>
  void answer(std::vector<Open>& open, std::size_t index,
              const std::optional<message<Reply>>& reply) {
    auto promise = open.at(index).answer;
    open.erase(open.begin() + static_cast<std::ptrdiff_t>(index));
    desk_->by_scorer = [&] {
      if (reply) {
        promise.deliver(*reply);
      } else {
        promise.deliver(caf::make_error(caf::sec::runtime_error));
      }
    };
    (void)world_.ask<schema::PoolStatus>(scorer_, message<schema::GetPoolStatus>{});
  }

  std::uint32_t block_ms_;
  scratch_directory folder_;
  vote_recorder votes_;
  std::shared_ptr<tables::ledger_store> ledger_;
  std::shared_ptr<auditor_desk> desk_;
  localnet::world world_;
  scorer::scorer_actor scorer_;
  blob_keeper::blob_keeper_actor keeper_;
  validator::validator_actor handle_;
};

}  // namespace soma::test
