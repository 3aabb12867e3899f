// A trainer owns one model. It improves the model on its own data and then publishes it: it stores
// the encrypted weights in the blob store, commits to the model in one epoch and reveals it in the
// next. The result of training is on disk before any transaction is sent.
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

/// The result of training: the safetensors file, not encrypted, and the embedding of the model's
/// speciality, which has D values.
struct trained_model {
  bytes weights_file;
  std::vector<float> embedding;
};

/// The stages, in the order of schema::TrainerStage, which explains them.
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
  model_id model;   // zero until the commitment is sent
  std::string why;  // of a failure
};

struct trainer_ports {
  clock::clock_actor clock;
  validator::validator_actor validator;
  blob_store::blob_store_actor blobs;
  background::background_actor background;
  /// Trains, or takes the result of an earlier process if there is one. It runs on the background
  /// thread and throws when it fails.
  std::function<trained_model()> train;
  /// Its owner reads it, too, on the thread that runs the actor.
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
  std::uint64_t seed = 0;  // of keys, IVs and salts; production draws it from the system
};

struct trainer_state {
  trainer_ports ports;
  trainer_options options;
  std::optional<wallet::wallet> account;  // set at the start
  crypto::seeded_random random{0};
  trained_model trained;
  tx::commit_model commit;
  tx::reveal_model reveal;
  epoch_number committed_in;
  bool is_asking = false;  // an answer of the validator is awaited
};

trainer_actor::behavior_type trainer(trainer_actor::stateful_pointer<trainer_state> self,
                                     trainer_ports ports, trainer_options options,
                                     trainer_means means);

}  // namespace soma::trainer
