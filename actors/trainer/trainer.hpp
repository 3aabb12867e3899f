// A trainer owns one model: it improves it on data of its own, then publishes it: weights encrypted
// into the blob store, commitment in one epoch, reveal in the next. What it learned is on disk
// before anyone hears of it.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "actors/background/background_actor.hpp"
#include "actors/blob_store/blob_store_actor.hpp"
#include "actors/clock/clock_actor.hpp"
#include "actors/trainer/trainer_actor.hpp"
#include "actors/validator/validator_actor.hpp"
#include "actors/wallet/wallet.hpp"
#include "messages/crypto/random.hpp"

namespace soma::actors {

/// What training leaves: the plain safetensors file and the embedding of the model's speciality (D
/// values).
struct trained_model {
  bytes weights_file;
  std::vector<float> embedding;
};

struct trainer_ports {
  clock_actor clock;
  validator_actor validator;
  blob_store_actor blobs;
  background_actor background;
  /// Trains, or takes up what an earlier run finished. Runs on the background thread; throws when
  /// it cannot.
  std::function<trained_model()> train;
};

struct trainer_options {
  std::string name;
  std::uint32_t poll_ms = 1'000;
  shannons stake{10 * shannons_per_soma};  // the model's own stake
  std::uint32_t commission_bps = 1'000;
};

enum class trainer_stage : std::uint16_t {
  idle,
  training,
  committing,
  committed,
  revealing,
  published,
  failed
};

/// The state holds a key, so it is made by the caller and shared with the actor alone.
struct trainer_state {
  trainer_state(wallet owner, std::uint64_t seed) : account(std::move(owner)), random(seed) {}
  wallet account;
  crypto::seeded_random
      random;  // keys, IVs and salts; a production trainer seeds it from the system
  trainer_stage stage = trainer_stage::idle;
  std::string why;  // of a failure
  trained_model trained;
  tx::commit_model commit;
  tx::reveal_model reveal;
  epoch_number committed_in;
};

trainer_actor::behavior_type trainer(trainer_actor::pointer self,
                                     std::shared_ptr<trainer_state> state, trainer_ports ports,
                                     trainer_options options);

}  // namespace soma::actors
