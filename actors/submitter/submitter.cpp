#include "actors/submitter/submitter.hpp"

#include "actors/blob_store/transfer.hpp"
#include "actors/interface/describe_error.hpp"
#include "messages/codec/codec.hpp"
#include "messages/crypto/hash.hpp"
#include "messages/crypto/merkle.hpp"
#include "messages/signing/signing.hpp"
#include "messages/wire/refusals.hpp"

namespace soma::submitter {
namespace {

using self_pointer = submitter_actor::stateful_pointer<submitter_state>;

/// What the steps of one round pass on.
struct attempt {
  target_id target;
  std::vector<float> point;
  std::uint32_t radius_q30 = 0;
  std::vector<model_version_ref> assigned;
  bytes data;
  message<schema::ScoreReport> report;
};
using attempt_ref = std::shared_ptr<attempt>;

// ---- a round and its end

void end_round(self_pointer self) {
  SOMA_ASSERT(self->state.busy, "a round that ends has begun");
  self->state.busy = false;
}

auto end_on_error(self_pointer self) {
  return [self](caf::error&) { end_round(self); };
}

/// Reads a row of the ledger. `then` gets it, or nullopt when there is none; `failed` is called
/// when the validator does not answer.
template <class Then, class Failed>
void read_row(self_pointer self, const row_key& key, Then then, Failed failed) {
  self->request(self->state.ports.validator, caf::infinite,
                message<schema::GetRow>::build([&](auto out) { out.setKey(data_of(key)); }))
      .then(
          [then = std::move(then)](const message<schema::Row>& row) mutable {
            then(row.root().getFound() ? std::optional(view_of(row.root().getValue()))
                                       : std::nullopt);
          },
          std::move(failed));
}

/// Offers a transaction. `then` is told whether the validator accepted it. If it did not, the nonce
/// may be wrong and is asked for again.
template <class Then>
void send(self_pointer self, transaction_kind kind, Then then) {
  auto& state = self->state;
  const auto made = state.account->sign(std::move(kind), epoch_number{state.epoch + 1});
  self->request(state.ports.validator, caf::infinite, wallet::offer(made.sent))
      .then(
          [self, then](const message<schema::SubmitReceipt>& receipt) mutable {
            const bool is_taken = !is_refused(receipt.root().getRefusal());
            if (!is_taken) {
              ++self->state.ports.counts->refused;
              self->state.account->forget_nonce();
            }
            then(is_taken);
          },
          [self, then](caf::error&) mutable {
            self->state.account->forget_nonce();
            then(false);
          });
}

void send_claim(self_pointer self, const ready_claim& ready) {
  const auto target = ready.claim.target;
  self->state.claims.emplace(target, ready.pending);
  send(self, ready.claim, [self, target](bool is_taken) {
    if (is_taken) {
      ++self->state.ports.counts->claimed;
    } else {
      self->state.claims.erase(target);
    }
    end_round(self);
  });
}

// ---- from a score to a claim

void claim(self_pointer self, const attempt_ref& work) {
  auto& state = self->state;
  const auto report = work->report.root();
  const auto claimed = state.ports.policy->claim_of(report);
  SOMA_ASSERT(claimed.winner < report.getResults().size(), "a claim names a model of the report");
  ready_claim ready;
  auto& pending = ready.pending;
  pending.salt = state.random.next_id<hash256>();
  pending.data = id_or_zero<data_hash>(report.getData());
  pending.blob = crypto::blob_id_of(work->data);
  pending.epoch = state.epoch;
  auto& kind = ready.claim;
  kind.target = work->target;
  kind.winner = ref_of(report.getResults()[claimed.winner].getRef());
  kind.loss_bits = std::bit_cast<std::uint32_t>(claimed.loss);
  kind.distance_q30 = report.getDistanceQ30();
  kind.size_bytes = work->data.size();
  kind.commitment = signing::data_commitment(pending.data, pending.blob, kind.size_bytes,
                                             pending.salt, state.account->owner());
  if (state.ports.policy->reveals()) pending.content = std::move(work->data);
  send_claim(self, ready);
}

/// Data that has won before can't be revealed again, so a claim with it would only cost the bond.
void ask_whether_used(self_pointer self, const attempt_ref& work) {
  const auto data = id_or_zero<data_hash>(work->report.root().getData());
  read_row(
      self, used_data_key(data),
      [self, work](std::optional<byte_view> row) {
        if (row) return end_round(self);
        claim(self, work);
      },
      end_on_error(self));
}

void judge(self_pointer self, const attempt_ref& work, const message<schema::ScoreReport>& report) {
  const auto root = report.root();
  if (is_refused(root.getRefusal())) return end_round(self);
  ++self->state.ports.counts->scored;
  if (root.getWinner() >= root.getResults().size()) return end_round(self);  // no score is valid
  if (root.getDistanceQ30() > work->radius_q30) {
    self->state.tried.erase(work->target);  // another piece may be near enough
    return end_round(self);
  }
  work->report = report;
  ask_whether_used(self, work);
}

void score(self_pointer self, const attempt_ref& work, schema::Models::Reader models) {
  // The registry may not know a version yet; a later round will find it.
  if (models.getEntries().size() != work->assigned.size()) return end_round(self);
  self->request(self->state.ports.scorer, caf::infinite,
                message<schema::ScoreRequest>::build([&](auto out) {
                  out.setModels(models.getEntries());
                  out.setData(data_of(work->data));
                  out.setSizeBytes(work->data.size());
                  out.setSeed(signing::scoring_seed_of(work->target));
                  out.setWinnerOnly(true);
                  fill(out.initPoint(static_cast<unsigned>(work->point.size())), work->point);
                }))
      .then([self, work](const message<schema::ScoreReport>& report) { judge(self, work, report); },
            end_on_error(self));
}

void fetch_models(self_pointer self, const attempt_ref& work) {
  self->request(self->state.ports.registry, caf::infinite,
                message<schema::GetModels>::build([&](auto out) {
                  auto refs = out.initRefs(static_cast<unsigned>(work->assigned.size()));
                  for (unsigned i = 0; i < work->assigned.size(); ++i)
                    fill(refs[i], work->assigned[i]);
                }))
      .then(
          [self, work](const message<schema::Models>& models) { score(self, work, models.root()); },
          end_on_error(self));
}

/// Picks an open target that was not tried yet. The seed chooses, so that competitors spread over
/// the open targets.
void begin_score(self_pointer self, std::span<const schema::OpenTarget::Reader> fresh) {
  auto& state = self->state;
  if (fresh.empty()) return end_round(self);
  const auto chosen = fresh[state.random.below(fresh.size())];
  auto piece = state.data.next();
  if (!piece) return end_round(self);
  auto work = std::make_shared<attempt>();
  work->target = id_or_zero<target_id>(chosen.getId());
  work->point = floats_of(chosen.getPoint());
  work->radius_q30 = chosen.getRadiusQ30();
  work->data = std::move(piece->data);
  for (const auto& ref : chosen.getAssigned()) work->assigned.push_back(ref_of(ref));
  state.tried.insert(work->target);
  fetch_models(self, work);
}

void begin_round(self_pointer self, schema::OpenTargets::Reader open) {
  auto& state = self->state;
  if (open.getEpoch() != state.epoch) {
    state.epoch = open.getEpoch();
    state.tried.clear();
  }
  round_view view;
  std::vector<schema::OpenTarget::Reader> fresh;
  for (const auto& target : open.getTargets()) {
    const auto id = id_or_zero<target_id>(target.getId());
    view.open.insert(id);
    if (!state.tried.contains(id)) fresh.push_back(target);
  }
  view.fresh = fresh;
  view.epoch = state.epoch;
  const auto plan = state.ports.policy->plan(view, state.random);
  if (const auto* ready = std::get_if<ready_claim>(&plan)) {
    state.tried.insert(ready->claim.target);
    return send_claim(self, *ready);
  }
  if (std::holds_alternative<score_data>(plan)) return begin_score(self, fresh);
  for (const auto& key : std::get<read_rows>(plan).keys) {
    read_row(
        self, key,
        [self](std::optional<byte_view> row) {
          if (row) self->state.ports.policy->learn(*row);
        },
        [](caf::error&) {});
  }
  end_round(self);
}

// ---- claims that were sent

void reveal(self_pointer self, const target_id& target, const pending_claim& claim) {
  SOMA_ASSERT(claim.reveal_sent, "a claim is revealed once");
  tx::reveal_data kind;
  kind.target = target;
  kind.data = claim.data;
  kind.blob = claim.blob;
  kind.salt = claim.salt;
  send(self, kind, [self, target](bool is_taken) {
    auto& claims = self->state.claims;
    const auto found = claims.find(target);
    if (found == claims.end()) return;
    if (is_taken) {
      ++self->state.ports.counts->revealed;
      claims.erase(found);
    } else {
      found->second.reveal_sent = false;  // the next poll tries again
    }
  });
}

/// The data is handed out only now: whoever had it before the claim was in a block could claim with
/// it first. Protocol §8.2.
void store_and_reveal(self_pointer self, const target_id& target, pending_claim& claim) {
  claim.reveal_sent = true;
  if (claim.content.empty()) return reveal(self, target, claim);
  blob_store::store_blob<submitter_actor::pointer>(
      self, self->state.ports.blobs, claim.content,
      [self, target](expected<blob_id, blob_store::transfer_refusal> blob) {
        const auto found = self->state.claims.find(target);
        if (found == self->state.claims.end()) return;
        if (blob) return reveal(self, target, found->second);
        found->second.reveal_sent = false;  // the next poll tries again
      });
}

void follow(self_pointer self, const target_id& target, std::optional<byte_view> row) {
  auto& state = self->state;
  const auto found = state.claims.find(target);
  if (found == state.claims.end() || found->second.reveal_sent) return;
  if (!row) return;  // the claim is not in a block yet, or its block refused it
  const auto submission = decode<submission_row>(*row);
  if (!submission || submission->submitter != state.account->owner()) {
    state.claims.erase(found);
    return;
  }
  if (state.ports.policy->reveals()) store_and_reveal(self, target, found->second);
}

/// Follows the claims that were sent: reveals those that are in a block, and forgets those whose
/// target another submitter won.
void follow_claims(self_pointer self) {
  auto& state = self->state;
  // A claim that is not in the ledger by then was refused in its block. No reveal can be due two
  // epochs after the claim.
  std::erase_if(state.claims,
                [&](const auto& item) { return item.second.epoch + 1 < state.epoch; });
  for (const auto& [target, claim] : state.claims) {
    if (claim.reveal_sent) continue;
    read_row(
        self, submission_key(target),
        [self, id = target](std::optional<byte_view> row) { follow(self, id, row); },
        [](caf::error&) {});
  }
}

// ---- polling

void ask_for_nonce(self_pointer self) {
  read_row(
      self, account_key(self->state.account->owner()),
      [self](std::optional<byte_view> row) {
        const auto account =
            row ? decode<account_row>(*row) : expected<account_row, parse_refusal>{};
        if (row && account) self->state.account->set_next_nonce(account->nonce);
      },
      [](caf::error&) {});
}

void poll(self_pointer self) {
  auto& state = self->state;
  if (!state.account->knows_nonce()) return ask_for_nonce(self);
  follow_claims(self);
  if (state.busy || state.data.empty()) return;
  state.busy = true;
  self->request(state.ports.validator, caf::infinite,
                message<schema::GetOpenTargets>::build(
                    [&](auto out) { out.setMost(state.options.max_targets_seen); }))
      .then([self](const message<schema::OpenTargets>& open) { begin_round(self, open.root()); },
            end_on_error(self));
}

void wait_for_next_poll(self_pointer self) {
  auto& state = self->state;
  const auto wait_ms = static_cast<std::uint32_t>(state.options.poll_ms / 2 +
                                                  state.random.below(state.options.poll_ms + 1));
  self->request(state.ports.clock, caf::infinite,
                message<schema::Wait>::build([&](auto out) { out.setMs(std::max(1u, wait_ms)); }))
      .then([self](const message<schema::Time>&) {
        poll(self);
        wait_for_next_poll(self);
      });
}

message<schema::SubmitterStatus> status(const submitter_counts& counts) {
  return message<schema::SubmitterStatus>::build([&](auto out) {
    out.setScored(counts.scored);
    out.setClaimed(counts.claimed);
    out.setRevealed(counts.revealed);
    out.setRefused(counts.refused);
  });
}

}  // namespace

submitter_actor::behavior_type submitter(self_pointer self, submitter_ports ports,
                                         submitter_options options, submitter_means means) {
  name_exceptions(*self);
  SOMA_ASSERT(ports.policy && ports.counts, "a submitter has a policy and counts what it does");
  auto& state = self->state;
  state.ports = std::move(ports);
  state.options = std::move(options);
  state.account = std::move(means.account);
  state.data = std::move(means.data);
  state.random = crypto::seeded_random(means.seed);
  wait_for_next_poll(self);
  return {[self](const message<schema::GetSubmitterStatus>&) {
    return status(*self->state.ports.counts);
  }};
}

}  // namespace soma::submitter
