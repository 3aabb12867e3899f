// The validator: it agrees with its peers on blocks of transactions, executes them through the
// rules, keeps the ledger, audits what was revealed, and votes. It announces a decision only after
// the decision is durable. It has to be spawned detached, because it blocks on its disk. It quits
// with an error when its disk fails, or when something has happened that safety rules out
// (consensus R12). After a disk failure its supervisor starts it again from what is durable; after
// an alarm a person has to look.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "actors/background/background_actor.hpp"
#include "actors/blob_keeper/blob_keeper_actor.hpp"
#include "actors/clock/clock_actor.hpp"
#include "actors/model_registry/model_registry_actor.hpp"
#include "actors/scorer/scorer_actor.hpp"
#include "actors/state_tree/state_tree.hpp"
#include "actors/target_generator/target_generator_actor.hpp"
#include "actors/validator/peers_actor.hpp"
#include "actors/validator/validator_actor.hpp"
#include "actors/validator/vote_memory.hpp"
#include "messages/crypto/ed25519.hpp"
#include "messages/values/genesis.hpp"
#include "storage/tables/ledger_store.hpp"

namespace soma::validator {

struct validator_ports {
  clock::clock_actor clock;
  target_generator::target_generator_actor target_generator;
  model_registry::model_registry_actor registry;
  /// Belongs to this validator's operator: a validator votes only on what its own scorer computed.
  scorer::scorer_actor scorer;
  /// Gets blobs into the store that the scorer reads. Without it an audit waits for no blob.
  blob_keeper::blob_keeper_actor blobs;
  std::vector<block_watcher_actor> watchers;
  std::shared_ptr<tables::ledger_store> ledger;
  /// The state tree of the ledger, if it was built just now. The first validator to start with
  /// these ports takes it away; without it all rows are read at the start.
  std::shared_ptr<std::optional<state_tree::tree>> tree;
  std::shared_ptr<vote_memory> votes;  // the record of this validator's key
  peers_actor peers;                   // absent when the validator is alone in its network
  /// Gets one line of text per call. Without it the lines go to standard error.
  std::function<void(const std::string&)> notify_operator;
  /// The folder for the ledger snapshot of each epoch, which late validators fetch, and the role
  /// that writes it while the validator goes on. Without both no snapshot is kept.
  std::filesystem::path snapshots;
  background::background_actor snapshot_writer;
};

struct validator_options {
  std::uint32_t block_ms = 50;            // the shortest time between two blocks
  std::uint32_t idle_ms = 1'000;          // the time between empty blocks, at least block_ms
  std::uint32_t view_timeout_ms = 1'500;  // T0, at least 2 * idle_ms
  /// How long it listens after a restart before it signs. A validator that is alone in its
  /// committee does not listen.
  std::uint32_t listen_ms = 3'000;
  std::uint64_t seed = 0;   // draws the peer to ask for missing data; 0: taken from the key
  unsigned max_audits = 4;  // the most audits that run at the same time
  /// How often data is fetched in vain, at least, before the validator votes that it is
  /// unavailable.
  std::uint32_t audit_attempts = 5;
  /// How long each attempt waits for the blobs that it reads. 0: a sixteenth of an epoch, but 1 to
  /// 600 seconds.
  std::uint32_t fetch_ms = 0;
  /// The version and commit of the program, which its status shows to people.
  std::string build;
};

class validator_parts;

struct validator_state {
  std::shared_ptr<validator_parts> parts;
};

/// The ledger among the ports must hold a genesis. A validator whose key has no seat in the
/// committee follows: it keeps the ledger and signs nothing until its key has a seat.
validator_actor::behavior_type validator(validator_actor::stateful_pointer<validator_state> self,
                                         crypto::key_pair key, validator_ports ports,
                                         validator_options options);

/// Initialises an empty store with the genesis, or checks that the store holds the same genesis.
/// Returns the reason as text when it holds another one, or when the genesis is not valid.
[[nodiscard]] expected<void, std::string> open_ledger(tables::ledger_store& ledger,
                                                      const soma::genesis& genesis);

}  // namespace soma::validator
