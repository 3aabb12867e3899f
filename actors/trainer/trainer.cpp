#include "actors/trainer/trainer.hpp"

#include "actors/blob_store/transfer.hpp"
#include "actors/rules/derived_ids.hpp"
#include "messages/crypto/aes_ctr.hpp"
#include "messages/crypto/hash.hpp"
#include "messages/types/codec.hpp"

namespace soma::actors {
namespace {

class trainer_logic : public std::enable_shared_from_this<trainer_logic> {
 public:
  trainer_logic(trainer_actor::pointer self, std::shared_ptr<trainer_state> state,
                trainer_ports ports, trainer_options options)
      : self_(self),
        state_(std::move(state)),
        ports_(std::move(ports)),
        options_(std::move(options)) {}

  message<schema::TrainerStatus> begin() {
    if (state_->stage == trainer_stage::idle || state_->stage == trainer_stage::failed) {
      state_->stage = trainer_stage::training;
      auto result = std::make_shared<trained_model>();
      self_
          ->request(ports_.background, caf::infinite,
                    make_job([result, train = ports_.train] { *result = train(); }))
          .then(
              [me = shared_from_this(), result](const message<schema::Ack>&) {
                me->state_->trained = std::move(*result);
                me->encrypt_and_store();
              },
              [me = shared_from_this()](caf::error& why) {
                me->fail(me->self_->system().render(why));
              });
    }
    return status();
  }

  [[nodiscard]] message<schema::TrainerStatus> status() const {
    return message<schema::TrainerStatus>::build([&](auto out) {
      out.setStage(static_cast<std::uint16_t>(state_->stage));
      out.setModel(data_of(state_->reveal.model));
      out.setWhy(state_->why);
    });
  }

 private:
  void fail(std::string why) {
    state_->stage = trainer_stage::failed;
    state_->why = std::move(why);
  }

  void encrypt_and_store() {
    state_->stage = trainer_stage::committing;
    auto& reveal = state_->reveal;
    auto& commit = state_->commit;
    auto& file = state_->trained.weights_file;
    reveal.weights = crypto::hash("soma.weights", file).as<weights_tag>();
    reveal.embedding = state_->trained.embedding;
    reveal.salt = state_->random.next_id<hash256>();
    state_->random.fill(reveal.key);
    state_->random.fill(commit.manifest.iv);
    commit.manifest.size_bytes = file.size();
    commit.manifest.chunk_bytes = chunk_bytes;
    commit.commitment =
        rules::model_commitment(reveal.weights, reveal.key, reveal.embedding, reveal.salt);
    commit.stake = options_.stake;
    commit.commission_bps = options_.commission_bps;
    crypto::aes_ctr(reveal.key, commit.manifest.iv).apply(0, file);
    store_blob<trainer_actor::pointer>(
        self_, ports_.blobs, std::move(file),
        [me = shared_from_this()](expected<blob_id, transfer_refusal> blob) {
          if (!blob) return me->fail("the blob store did not take the weights");
          me->state_->commit.manifest.root = *blob;
          me->poll();
        });
  }

  /// Looks at the chain, does what is due, comes back later.
  void poll() {
    self_->request(ports_.validator, caf::infinite, message<schema::GetChain>{})
        .then(
            [me = shared_from_this()](const message<schema::ChainStatus>& chain) {
              me->act(epoch_number{chain.root().getEpoch()});
              if (me->state_->stage != trainer_stage::published &&
                  me->state_->stage != trainer_stage::failed) {
                me->poll_later();
              }
            },
            [me = shared_from_this()](caf::error&) { me->poll_later(); });
  }

  void poll_later() {
    self_
        ->request(ports_.clock, caf::infinite,
                  message<schema::Wait>::build([&](auto out) { out.setMs(options_.poll_ms); }))
        .then([me = shared_from_this()](const message<schema::Time>&) { me->poll(); });
  }

  void act(epoch_number now) {
    switch (state_->stage) {
      case trainer_stage::committing:
        return send(state_->commit, now, trainer_stage::committed);
      case trainer_stage::committed:
        if (now == state_->committed_in.next()) {
          return send(state_->reveal, now, trainer_stage::revealing);
        }
        if (now > state_->committed_in.next()) fail("the epoch of the reveal has passed");
        return;
      case trainer_stage::revealing:
        return confirm(now);
      default:
        return;
    }
  }

  /// The version is there to stay once its row says that it was revealed.
  void confirm(epoch_number now) {
    self_
        ->request(ports_.validator, caf::infinite, message<schema::GetRow>::build([&](auto out) {
                    out.setKey(data_of(model_version_key({state_->reveal.model, 1})));
                  }))
        .then(
            [me = shared_from_this(), now](const message<schema::Row>& row) {
              const auto version = decode<model_version_row>(view_of(row.root().getValue()));
              const bool stands = row.root().getFound() && version &&
                                  (version->status == version_status::revealed ||
                                   version->status == version_status::active);
              if (stands) {
                me->state_->stage = trainer_stage::published;
              } else if (now > me->state_->committed_in.next()) {
                me->fail("the reveal did not stand: it was refused, or came too late");
              }
            },
            [](caf::error&) {});
  }

  void send(transaction_kind kind, epoch_number now, trainer_stage next) {
    self_
        ->request(ports_.validator, caf::infinite, message<schema::GetRow>::build([&](auto out) {
                    out.setKey(data_of(account_key(state_->account.owner())));
                  }))
        .then(
            [me = shared_from_this(), kind = std::move(kind), now,
             next](const message<schema::Row>& row) {
              const auto account = decode<account_row>(view_of(row.root().getValue()));
              if (!row.root().getFound() || !account) return me->fail("the account holds nothing");
              me->state_->account.set_next_nonce(account->nonce);
              me->offer_transaction(kind, now, next);
            },
            [](caf::error&) {});
  }

  void offer_transaction(const transaction_kind& kind, epoch_number now, trainer_stage next) {
    const auto transaction = state_->account.sign(kind, now.next());
    self_->request(ports_.validator, caf::infinite, offer(transaction))
        .then(
            [me = shared_from_this(), next, now,
             transaction](const message<schema::SubmitReceipt>& receipt) {
              if (receipt.root().getRefusal() != 0) {
                return me->fail(std::string(view_of(receipt.root().getWhy())));
              }
              if (next == trainer_stage::committed) {
                me->state_->committed_in = now;
                me->state_->reveal.model = rules::model_id_of(crypto::id_of(transaction));
              }
              me->state_->stage = next;
            },
            [](caf::error&) {});
  }

  trainer_actor::pointer self_;
  std::shared_ptr<trainer_state> state_;
  trainer_ports ports_;
  trainer_options options_;
};

}  // namespace

trainer_actor::behavior_type trainer(trainer_actor::pointer self,
                                     std::shared_ptr<trainer_state> state, trainer_ports ports,
                                     trainer_options options) {
  auto logic =
      std::make_shared<trainer_logic>(self, std::move(state), std::move(ports), std::move(options));
  return {[logic](const message<schema::Train>&) { return logic->begin(); },
          [logic](const message<schema::GetStatus>&) { return logic->status(); }};
}

}  // namespace soma::actors
