// A submitter watches open targets and scores pieces of its own data on the models assigned to
// them. It claims a target when the result is within the radius, and reveals the data when the
// claim is in a block. It has a scorer of its own and never uses that of a validator. What must
// hold:
//   - There is one round at a time: a piece of data is scored and claimed before the next one is
//     taken.
//   - The data goes into the blob store when the claim is in a block, and not before: whoever saw
//     it earlier could claim with it first. It is revealed when the store has it.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "actors/blob_store/blob_store_actor.hpp"
#include "actors/clock/clock_actor.hpp"
#include "actors/model_registry/model_registry_actor.hpp"
#include "actors/scorer/scorer_actor.hpp"
#include "actors/submitter/claim_policy.hpp"
#include "actors/submitter/data_source.hpp"
#include "actors/submitter/submitter_actor.hpp"
#include "actors/validator/validator_actor.hpp"
#include "actors/wallet/wallet.hpp"

namespace soma::submitter {

/// What the submitter has done since it was started.
struct submitter_counts {
  std::uint64_t scored = 0, claimed = 0, revealed = 0, refused = 0;
};

struct submitter_ports {
  clock::clock_actor clock;
  validator::validator_actor validator;
  model_registry::model_registry_actor registry;
  scorer::scorer_actor scorer;
  blob_store::blob_store_actor blobs;
  std::shared_ptr<claim_policy> policy = std::make_shared<claim_policy>();
  /// Its owner reads it, too, on the thread that runs the actor.
  std::shared_ptr<submitter_counts> counts = std::make_shared<submitter_counts>();
};

struct submitter_options {
  std::string name;
  std::uint32_t poll_ms = 2'000;        // mean: each wait is between 0.5 and 1.5 of it
  std::uint32_t max_targets_seen = 64;  // the most targets that a poll asks for
};

/// What a submitter works with. It holds a key, so the caller hands it over.
struct submitter_means {
  wallet::wallet account;
  data_source data;
  std::uint64_t seed = 0;  // of its choices and salts
};

struct submitter_state {
  submitter_ports ports;
  submitter_options options;
  std::optional<wallet::wallet> account;  // set at the start
  data_source data;
  crypto::seeded_random random{0};
  bool busy = false;  // a round is under way
  std::uint64_t epoch = 0;
  std::set<target_id> tried;  // in this epoch
  std::map<target_id, pending_claim> claims;
};

submitter_actor::behavior_type submitter(submitter_actor::stateful_pointer<submitter_state> self,
                                         submitter_ports ports, submitter_options options,
                                         submitter_means means);

}  // namespace soma::submitter
