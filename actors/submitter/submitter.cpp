#include "actors/submitter/submitter.hpp"

#include "actors/blob_store/transfer.hpp"
#include "actors/rules/derived_ids.hpp"
#include "messages/crypto/hash.hpp"
#include "messages/types/codec.hpp"

namespace soma::actors {

const char* to_text(misconduct kind) {
  switch (kind) {
    case misconduct::none:
      return "honest";
    case misconduct::wrong_loss:
      return "claims a better loss";
    case misconduct::wrong_winner:
      return "names another winner";
    case misconduct::never_reveals:
      return "never reveals";
    case misconduct::copies_claims:
      return "copies claims";
  }
  return "unknown";
}

namespace {

/// What one round of work carries from step to step.
struct attempt {
  target_id target;
  std::vector<float> point;
  std::uint32_t radius_q30 = 0;
  std::vector<model_version_ref> assigned;
  bytes data;
  message<schema::ScoreReport> report;
};

class submitter_logic : public std::enable_shared_from_this<submitter_logic> {
 public:
  submitter_logic(submitter_actor::pointer self, std::shared_ptr<submitter_state> state,
                  submitter_ports ports, submitter_options options)
      : self_(self),
        state_(std::move(state)),
        ports_(std::move(ports)),
        options_(std::move(options)) {}

  void wait_for_next_poll() {
    const auto half = options_.poll_ms / 2;
    const auto wait_ms =
        static_cast<std::uint32_t>(half + state_->random.below(options_.poll_ms + 1));
    self_
        ->request(ports_.clock, caf::infinite,
                  message<schema::Wait>::build([&](auto out) { out.setMs(std::max(1u, wait_ms)); }))
        .then([me = shared_from_this()](const message<schema::Time>&) {
          me->poll();
          me->wait_for_next_poll();
        });
  }

  [[nodiscard]] message<schema::SubmitterStatus> status() const {
    return message<schema::SubmitterStatus>::build([&](auto out) {
      out.setScored(state_->scored);
      out.setClaimed(state_->claimed);
      out.setRevealed(state_->revealed);
      out.setRefused(state_->refused);
    });
  }

 private:
  void poll() {
    if (!state_->nonce_known) return ask_for_nonce();
    follow_claims();
    if (state_->busy || state_->data.empty()) return;
    state_->busy = true;
    self_
        ->request(ports_.validator, caf::infinite,
                  message<schema::GetOpenTargets>::build(
                      [&](auto out) { out.setMost(options_.max_targets_seen); }))
        .then([me = shared_from_this()](
                  const message<schema::OpenTargets>& open) { me->choose_target(open.root()); },
              give_up());
  }

  std::function<void(caf::error&)> give_up() {
    return [me = shared_from_this()](caf::error&) { me->state_->busy = false; };
  }
  void done() { state_->busy = false; }

  void ask_for_nonce() {
    self_
        ->request(ports_.validator, caf::infinite, message<schema::GetRow>::build([&](auto out) {
                    out.setKey(data_of(account_key(state_->account.owner())));
                  }))
        .then(
            [me = shared_from_this()](const message<schema::Row>& row) {
              const auto account = decode<account_row>(view_of(row.root().getValue()));
              if (!row.root().getFound() || !account) return;
              me->state_->account.set_next_nonce(account->nonce);
              me->state_->nonce_known = true;
            },
            [](caf::error&) {});
  }

  /// Any open target not tried yet, by the seed's choice: competitors spread over what is open.
  void choose_target(schema::OpenTargets::Reader open) {
    if (open.getEpoch() != state_->epoch) {
      state_->epoch = open.getEpoch();
      state_->tried.clear();
    }
    std::vector<schema::OpenTarget::Reader> fresh;
    for (const auto& target : open.getTargets()) {
      if (!state_->tried.contains(id_or_zero<target_id>(target.getId()))) fresh.push_back(target);
    }
    if (options_.cheats == misconduct::copies_claims) return copy_a_claim(open, fresh);
    if (fresh.empty()) return done();
    const auto chosen = fresh[state_->random.below(fresh.size())];
    auto piece = state_->data.next();
    if (!piece) return done();
    auto work = std::make_shared<attempt>();
    work->target = id_or_zero<target_id>(chosen.getId());
    work->point = floats_of(chosen.getPoint());
    work->radius_q30 = chosen.getRadiusQ30();
    work->data = std::move(piece->data);
    for (const auto& ref : chosen.getAssigned()) work->assigned.push_back(ref_of(ref));
    state_->tried.insert(work->target);
    fetch_models(work);
  }

  /// Takes what someone else claimed, commitment and all, to a target that is still open. Nobody
  /// can reveal for it: the commitment names its sender.
  void copy_a_claim(schema::OpenTargets::Reader open,
                    const std::vector<schema::OpenTarget::Reader>& fresh) {
    if (copied_ && !fresh.empty()) {
      tx::claim_target kind;
      kind.target = id_or_zero<target_id>(fresh[0].getId());
      kind.winner = ref_of(fresh[0].getAssigned()[0]);
      kind.loss_bits = copied_->loss_bits;
      kind.distance_q30 = std::min(copied_->distance_q30, fresh[0].getRadiusQ30());
      kind.size_bytes = copied_->size_bytes;
      kind.commitment = copied_->commitment;
      state_->tried.insert(kind.target);
      state_->claims.emplace(kind.target,
                             pending_claim{state_->random.next_id<hash256>(), copied_->data,
                                           copied_->blob, false, state_->epoch});
      copied_.reset();
      return send(kind, [me = shared_from_this()](bool accepted) {
        me->state_->claimed += accepted;
        me->done();
      });
    }
    std::set<target_id> now;
    for (const auto& target : open.getTargets()) now.insert(id_or_zero<target_id>(target.getId()));
    for (const auto& target : last_open_) {
      if (!now.contains(target)) look_at_claim(target);
    }
    last_open_ = std::move(now);
    done();
  }

  void look_at_claim(const target_id& target) {
    self_
        ->request(ports_.validator, caf::infinite, message<schema::GetRow>::build([&](auto out) {
                    out.setKey(data_of(submission_key(target)));
                  }))
        .then(
            [me = shared_from_this()](const message<schema::Row>& row) {
              auto submission = decode<submission_row>(view_of(row.root().getValue()));
              if (row.root().getFound() && submission) me->copied_ = std::move(*submission);
            },
            [](caf::error&) {});
  }

  void fetch_models(std::shared_ptr<attempt> work) {
    self_
        ->request(ports_.registry, caf::infinite, message<schema::GetModels>::build([&](auto out) {
                    auto refs = out.initRefs(static_cast<unsigned>(work->assigned.size()));
                    for (unsigned i = 0; i < work->assigned.size(); ++i)
                      fill(refs[i], work->assigned[i]);
                  }))
        .then([me = shared_from_this(),
               work](const message<schema::Models>& models) { me->score(work, models.root()); },
              give_up());
  }

  void score(std::shared_ptr<attempt> work, schema::Models::Reader models) {
    if (models.getEntries().size() != work->assigned.size()) return done();  // not known here yet
    self_
        ->request(ports_.scorer, caf::infinite, message<schema::ScoreRequest>::build([&](auto out) {
                    out.setModels(models.getEntries());
                    out.setData(data_of(work->data));
                    out.setSizeBytes(work->data.size());
                    out.setSeed(rules::scoring_seed_of(work->target));
                    out.setWinnerOnly(true);
                    fill(out.initPoint(static_cast<unsigned>(work->point.size())), work->point);
                  }))
        .then([me = shared_from_this(),
               work](const message<schema::ScoreReport>& report) { me->judge(work, report); },
              give_up());
  }

  void judge(std::shared_ptr<attempt> work, const message<schema::ScoreReport>& report) {
    const auto root = report.root();
    if (root.getRefusal() != 0) return done();
    ++state_->scored;
    if (root.getWinner() >= root.getResults().size()) return done();  // no model can score it
    if (root.getDistanceQ30() > work->radius_q30) {
      state_->tried.erase(work->target);  // another piece may land
      return done();
    }
    work->report = report;
    ask_whether_used(work);
  }

  /// Data that has won before cannot be revealed again: a claim on it would only cost the bond.
  void ask_whether_used(std::shared_ptr<attempt> work) {
    const auto data = id_or_zero<data_hash>(work->report.root().getData());
    self_
        ->request(ports_.validator, caf::infinite, message<schema::GetRow>::build([&](auto out) {
                    out.setKey(data_of(used_data_key(data)));
                  }))
        .then(
            [me = shared_from_this(), work](const message<schema::Row>& row) {
              if (row.root().getFound()) return me->done();
              me->store_and_claim(work);
            },
            give_up());
  }

  void store_and_claim(std::shared_ptr<attempt> work) {
    if (options_.cheats == misconduct::never_reveals) return claim(work, blob_id{});
    store_blob<submitter_actor::pointer>(
        self_, ports_.blobs, work->data,
        [me = shared_from_this(), work](expected<blob_id, transfer_refusal> blob) {
          if (blob) return me->claim(work, *blob);
          me->done();
        });
  }

  void claim(std::shared_ptr<attempt> work, const blob_id& blob) {
    const auto report = work->report.root();
    auto winner = report.getWinner();
    auto loss = report.getResults()[winner].getLoss();
    if (options_.cheats == misconduct::wrong_loss) loss *= 0.5f;
    if (options_.cheats == misconduct::wrong_winner) {
      winner = (winner + 1) % report.getResults().size();
      loss = report.getResults()[winner].getLoss();
    }
    pending_claim pending;
    pending.salt = state_->random.next_id<hash256>();
    pending.data = id_or_zero<data_hash>(report.getData());
    pending.blob = blob;
    pending.epoch = state_->epoch;
    tx::claim_target kind;
    kind.target = work->target;
    kind.winner = ref_of(report.getResults()[winner].getRef());
    kind.loss_bits = std::bit_cast<std::uint32_t>(loss);
    kind.distance_q30 = report.getDistanceQ30();
    kind.size_bytes = work->data.size();
    kind.commitment = rules::data_commitment(pending.data, kind.size_bytes, pending.salt,
                                             state_->account.owner());
    state_->claims.emplace(work->target, pending);
    send(kind, [me = shared_from_this(), target = work->target](bool accepted) {
      if (accepted) {
        ++me->state_->claimed;
      } else {
        me->state_->claims.erase(target);
      }
      me->done();
    });
  }

  /// Offers a transaction; `then` hears whether the validator took it. A refusal makes us ask for
  /// the nonce again.
  void send(transaction_kind kind, std::function<void(bool)> then) {
    const auto transaction = state_->account.sign(std::move(kind), epoch_number{state_->epoch + 1});
    self_->request(ports_.validator, caf::infinite, offer(transaction))
        .then(
            [me = shared_from_this(), then](const message<schema::SubmitReceipt>& receipt) {
              const bool accepted = receipt.root().getRefusal() == 0;
              if (!accepted) {
                ++me->state_->refused;
                me->state_->nonce_known = false;
              }
              then(accepted);
            },
            [me = shared_from_this(), then](caf::error&) {
              me->state_->nonce_known = false;
              then(false);
            });
  }

  /// Looks after claims that were sent: reveals those that stand, forgets those that someone else
  /// won.
  void follow_claims() {
    // A claim that never stood was refused in its block: no reveal can be due two epochs later.
    std::erase_if(state_->claims,
                  [&](const auto& item) { return item.second.epoch + 1 < state_->epoch; });
    for (const auto& [target, claim] : state_->claims) {
      if (claim.reveal_sent) continue;
      self_
          ->request(ports_.validator, caf::infinite, message<schema::GetRow>::build([&](auto out) {
                      out.setKey(data_of(submission_key(target)));
                    }))
          .then([me = shared_from_this(), target = target](
                    const message<schema::Row>& row) { me->follow(target, row.root()); },
                [](caf::error&) {});
    }
  }

  void follow(const target_id& target, schema::Row::Reader row) {
    const auto found = state_->claims.find(target);
    if (found == state_->claims.end() || found->second.reveal_sent) return;
    if (!row.getFound()) return;  // not in a block yet, or refused there
    const auto submission = decode<submission_row>(view_of(row.getValue()));
    if (!submission || submission->submitter != state_->account.owner()) {
      state_->claims.erase(found);
      return;
    }
    if (options_.cheats == misconduct::never_reveals) return;
    found->second.reveal_sent = true;
    tx::reveal_data kind;
    kind.target = target;
    kind.data = found->second.data;
    kind.blob = found->second.blob;
    kind.salt = found->second.salt;
    send(kind, [me = shared_from_this(), target](bool accepted) {
      const auto claim = me->state_->claims.find(target);
      if (claim == me->state_->claims.end()) return;
      if (accepted) {
        ++me->state_->revealed;
        me->state_->claims.erase(claim);
      } else {
        claim->second.reveal_sent = false;  // try again at the next poll
      }
    });
  }

  submitter_actor::pointer self_;
  std::shared_ptr<submitter_state> state_;
  submitter_ports ports_;
  submitter_options options_;
  // Of a submitter that copies claims: what was open at its last poll, and what it copied.
  std::set<target_id> last_open_;
  std::optional<submission_row> copied_;
};

}  // namespace

submitter_actor::behavior_type submitter(submitter_actor::pointer self,
                                         std::shared_ptr<submitter_state> state,
                                         submitter_ports ports, submitter_options options) {
  auto logic = std::make_shared<submitter_logic>(self, std::move(state), std::move(ports),
                                                 std::move(options));
  logic->wait_for_next_poll();
  return {[logic](const message<schema::GetStatus>&) { return logic->status(); }};
}

}  // namespace soma::actors
