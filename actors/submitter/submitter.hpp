// A submitter: watches open targets, scores pieces of its own data on the models assigned to them,
// claims what lands within the radius, and reveals the data once the claim stands. Its scorer is
// its own, never a validator's.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "actors/blob_store/blob_store_actor.hpp"
#include "actors/clock/clock_actor.hpp"
#include "actors/model_registry/model_registry_actor.hpp"
#include "actors/scorer/scorer_actor.hpp"
#include "actors/submitter/data_source.hpp"
#include "actors/submitter/submitter_actor.hpp"
#include "actors/validator/validator_actor.hpp"
#include "actors/wallet/wallet.hpp"

namespace soma::actors {

/// What a submitter may do wrong on purpose, to show that the network notices.
enum class misconduct : std::uint8_t {
  none,
  wrong_loss,
  wrong_winner,
  never_reveals,
  copies_claims
};
[[nodiscard]] const char* to_text(misconduct kind);

struct submitter_ports {
  clock_actor clock;
  validator_actor validator;
  model_registry_actor registry;
  scorer_actor scorer;
  blob_store_actor blobs;
};

struct submitter_options {
  std::string name;
  std::uint32_t poll_ms =
      2'000;  // on average; each wait is drawn between a half and one and a half of it
  std::uint32_t max_targets_seen = 64;  // asked for at each poll
  std::uint64_t seed = 0;
  misconduct cheats = misconduct::none;
};

/// A claim that was sent and not yet followed by its reveal.
struct pending_claim {
  hash256 salt;
  data_hash data;
  blob_id blob;
  bool reveal_sent = false;
  std::uint64_t epoch = 0;  // in which it was sent
};

struct submitter_state {
  submitter_state(wallet owner, data_source source, std::uint64_t seed)
      : account(std::move(owner)), data(std::move(source)), random(seed) {}
  wallet account;
  data_source data;
  crypto::seeded_random random;
  bool nonce_known = false;
  bool busy = false;  // one piece is being scored and claimed
  std::uint64_t epoch = 0;
  std::set<target_id> tried;  // of this epoch
  std::map<target_id, pending_claim> claims;
  std::uint64_t scored = 0, claimed = 0, revealed = 0, refused = 0;
};

/// The state holds a key, so it is made by the caller and shared with the actor alone.
submitter_actor::behavior_type submitter(submitter_actor::pointer self,
                                         std::shared_ptr<submitter_state> state,
                                         submitter_ports ports, submitter_options options);

}  // namespace soma::actors
