#include "actors/trainer/trainer.hpp"

#include "actors/blob_store/transfer.hpp"
#include "actors/interface/describe_error.hpp"
#include "messages/codec/codec.hpp"
#include "messages/crypto/aes_ctr.hpp"
#include "messages/crypto/hash.hpp"
#include "messages/signing/signing.hpp"
#include "messages/wire/refusals.hpp"

namespace soma::trainer {
namespace {

using self_pointer = trainer_actor::stateful_pointer<trainer_state>;

trainer_progress& progress_of(self_pointer self) {
  return *self->state.ports.progress;
}

void fail(self_pointer self, std::string why) {
  auto& progress = progress_of(self);
  SOMA_ASSERT(progress.stage != trainer_stage::published, "what is published does not fail");
  progress.stage = trainer_stage::failed;
  progress.why = std::move(why);
}

/// Moves on to the next stage.
void go_on_to(self_pointer self, trainer_stage next) {
  auto& stage = progress_of(self).stage;
  SOMA_ASSERT(static_cast<int>(next) == static_cast<int>(stage) + 1, "one stage after the other");
  stage = next;
}

// ---- transactions

/// The handler of an error: the validator does not answer, and the next poll asks again.
auto try_again(self_pointer self) {
  return [self](caf::error&) { self->state.is_asking = false; };
}

void offer_transaction(self_pointer self, const transaction_kind& kind, epoch_number now,
                       trainer_stage next) {
  auto& state = self->state;
  const auto made = state.account->sign(kind, now.next());
  self->request(state.ports.validator, caf::infinite, wallet::offer(made.sent))
      .then(
          [self, next, now, id = made.id](const message<schema::SubmitReceipt>& receipt) {
            self->state.is_asking = false;
            const auto refusal = receipt.root().getRefusal();
            if (is_refused(refusal)) return fail(self, why_of(refusal));
            if (next == trainer_stage::committed) {
              self->state.committed_in = now;
              self->state.reveal.model = signing::model_id_of(id);
              progress_of(self).model = self->state.reveal.model;
            }
            go_on_to(self, next);
          },
          try_again(self));
}

/// Sends a transaction and moves on to `next`. It asks the ledger for the nonce each time, since a
/// trainer sends few transactions, each after the one before it is in a block.
void send(self_pointer self, transaction_kind kind, epoch_number now, trainer_stage next) {
  self->state.is_asking = true;
  const auto key = account_key(self->state.account->owner());
  self->request(self->state.ports.validator, caf::infinite,
                message<schema::GetRow>::build([&](auto out) { out.setKey(data_of(key)); }))
      .then(
          [self, kind = std::move(kind), now, next](const message<schema::Row>& row) {
            const auto account = decode<account_row>(view_of(row.root().getValue()));
            if (!row.root().getFound() || !account) {
              self->state.is_asking = false;
              return fail(self, "the account holds nothing");
            }
            self->state.account->set_next_nonce(account->nonce);
            offer_transaction(self, kind, now, next);
          },
          try_again(self));
}

/// Checks the row of the model's version; the model is published when the row says that it was
/// revealed.
void confirm(self_pointer self, epoch_number now) {
  self->state.is_asking = true;
  const auto key = model_version_key({self->state.reveal.model, 1});
  self->request(self->state.ports.validator, caf::infinite,
                message<schema::GetRow>::build([&](auto out) { out.setKey(data_of(key)); }))
      .then(
          [self, now](const message<schema::Row>& row) {
            self->state.is_asking = false;
            const auto version = decode<model_version_row>(view_of(row.root().getValue()));
            const bool stands = row.root().getFound() && version &&
                                (version->status == version_status::revealed ||
                                 version->status == version_status::active);
            if (stands) {
              go_on_to(self, trainer_stage::published);
            } else if (now > self->state.committed_in.next()) {
              fail(self, "the reveal did not stand: it was refused, or came too late");
            }
          },
          try_again(self));
}

// ---- polling

void act(self_pointer self, epoch_number now) {
  auto& state = self->state;
  if (state.is_asking) return;
  switch (progress_of(self).stage) {
    case trainer_stage::committing:
      return send(self, state.commit, now, trainer_stage::committed);
    case trainer_stage::committed:
      if (now == state.committed_in.next()) {
        return send(self, state.reveal, now, trainer_stage::revealing);
      }
      if (now > state.committed_in.next()) fail(self, "the epoch of the reveal has passed");
      return;
    case trainer_stage::revealing:
      return confirm(self, now);
    default:
      return;
  }
}

void poll_later(self_pointer self);

/// Asks for the state of the chain, does what is due, and polls again later.
void poll(self_pointer self) {
  self->request(self->state.ports.validator, caf::infinite, message<schema::GetChain>{})
      .then(
          [self](const message<schema::ChainStatus>& chain) {
            act(self, epoch_number{chain.root().getEpoch()});
            const auto stage = progress_of(self).stage;
            if (stage != trainer_stage::published && stage != trainer_stage::failed) {
              poll_later(self);
            }
          },
          [self](caf::error&) { poll_later(self); });
}

void poll_later(self_pointer self) {
  self->request(self->state.ports.clock, caf::infinite, message<schema::Wait>::build([&](auto out) {
                  out.setMs(self->state.options.poll_ms);
                }))
      .then([self](const message<schema::Time>&) { poll(self); });
}

// ---- training

void encrypt_and_store(self_pointer self) {
  auto& state = self->state;
  go_on_to(self, trainer_stage::committing);
  auto& reveal = state.reveal;
  auto& commit = state.commit;
  auto& file = state.trained.weights_file;
  SOMA_ASSERT(!file.empty() && !state.trained.embedding.empty(), "training leaves a model");
  reveal.weights = crypto::hash("soma.weights", file).as<weights_tag>();
  reveal.embedding = state.trained.embedding;
  reveal.salt = state.random.next_id<hash256>();
  state.random.fill(reveal.key);
  state.random.fill(commit.manifest.iv);
  commit.manifest.size_bytes = file.size();
  commit.manifest.chunk_bytes = blob_store::chunk_bytes;
  commit.commitment = signing::model_commitment(reveal.weights, reveal.key, reveal.embedding,
                                                reveal.salt, state.account->owner());
  commit.stake = state.options.stake;
  commit.commission_bps = state.options.commission_bps;
  crypto::aes_ctr(reveal.key, commit.manifest.iv).apply(0, file);
  blob_store::store_blob<trainer_actor::pointer>(
      self, state.ports.blobs, std::move(file),
      [self](expected<blob_id, blob_store::transfer_refusal> blob) {
        if (!blob) return fail(self, "the blob store did not take the weights");
        self->state.commit.manifest.root = *blob;
        poll(self);
      });
}

void begin(self_pointer self) {
  auto& progress = progress_of(self);
  if (progress.stage != trainer_stage::idle && progress.stage != trainer_stage::failed) return;
  progress.stage = trainer_stage::training;
  auto result = std::make_shared<trained_model>();
  self->request(
          self->state.ports.background, caf::infinite,
          background::make_job([result, train = self->state.ports.train] { *result = train(); }))
      .then(
          [self, result](const message<schema::Ack>&) {
            self->state.trained = std::move(*result);
            encrypt_and_store(self);
          },
          [self](caf::error& why) { fail(self, describe_error(why)); });
}

message<schema::TrainerStatus> status(const trainer_progress& progress) {
  return message<schema::TrainerStatus>::build([&](auto out) {
    out.setStage(static_cast<schema::TrainerStage>(progress.stage));
    out.setModel(data_of(progress.model));
    out.setWhy(bounded_why(progress.why));
  });
}

}  // namespace

trainer_actor::behavior_type trainer(self_pointer self, trainer_ports ports,
                                     trainer_options options, trainer_means means) {
  name_exceptions(*self);
  SOMA_ASSERT(ports.progress && ports.train, "a trainer can train and say how far it is");
  auto& state = self->state;
  state.ports = std::move(ports);
  state.options = std::move(options);
  state.account = std::move(means.account);
  state.random = crypto::seeded_random(means.seed);
  return {[self](const message<schema::Train>&) {
            begin(self);
            return status(progress_of(self));
          },
          [self](const message<schema::GetTrainerStatus>&) { return status(progress_of(self)); }};
}

}  // namespace soma::trainer
