// A trainer owns one model: it improves it on data of its own, then publishes it: weights encrypted
// into the blob store, commitment in one epoch, reveal in the next. What it learned is on disk
// before the network hears of it.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "actors/background/background_actor.hpp"
#include "actors/blob_store/blob_store_actor.hpp"
#include "actors/clock/clock_actor.hpp"
#include "actors/trainer/trainer_actor.hpp"
#include "actors/validator/validator_actor.hpp"
#include "actors/wallet/wallet.hpp"
#include "messages/crypto/random.hpp"

namespace soma::trainer {

/// What training leaves: the plain safetensors file and the embedding of the model's speciality (D
/// values).
struct trained_model {
  bytes weights_file;
  std::vector<float> embedding;
};

/// In the order of schema::TrainerStage, which says what each of them is.
enum class trainer_stage : std::uint16_t {
  idle,
  training,
  committing,
  committed,
  revealing,
  published,
  failed
};

/// How far a trainer has come.
struct trainer_progress {
  trainer_stage stage = trainer_stage::idle;
  model_id model;   // zero until the commitment was sent
  std::string why;  // of a failure
};

struct trainer_ports {
  clock::clock_actor clock;
  validator::validator_actor validator;
  blob_store::blob_store_actor blobs;
  background::background_actor background;
  /// Trains, or takes up what an earlier run finished. Runs on the background thread; throws when
  /// it cannot.
  std::function<trained_model()> train;
  /// Read by its owner too, on the thread that runs the actor.
  std::shared_ptr<trainer_progress> progress = std::make_shared<trainer_progress>();
};

struct trainer_options {
  std::string name;
  std::uint32_t poll_ms = 1'000;
  shannons stake{10 * shannons_per_soma};  // the model's own stake
  std::uint32_t commission_bps = 1'000;
};

/// What a trainer works with. It holds a key, so the caller hands it over.
struct trainer_means {
  wallet::wallet account;
  std::uint64_t seed = 0;  // of keys, IVs and salts: in production drawn from the system
};

struct trainer_state {
  trainer_ports ports;
  trainer_options options;
  std::optional<wallet::wallet> account;  // there from the start
  crypto::seeded_random random{0};
  trained_model trained;
  tx::commit_model commit;
  tx::reveal_model reveal;
  epoch_number committed_in;
  bool is_asking = false;  // the validator has a transaction or a question of this stage to answer
};

trainer_actor::behavior_type trainer(trainer_actor::stateful_pointer<trainer_state> self,
                                     trainer_ports ports, trainer_options options,
                                     trainer_means means);

}  // namespace soma::trainer
