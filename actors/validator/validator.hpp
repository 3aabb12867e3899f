// The validator: it agrees with its peers on blocks of transactions, executes them through the
// rules, keeps the ledger, audits what was revealed, votes. It decides, makes durable, then
// announces. Spawned detached: it waits for its disk. It quits with an error when its disk fails or
// when something has happened that must not (consensus R12). Its supervisor starts it anew from
// what is durable, or a person has to look.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "actors/background/background_actor.hpp"
#include "actors/clock/clock_actor.hpp"
#include "actors/model_registry/model_registry_actor.hpp"
#include "actors/scorer/scorer_actor.hpp"
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
  scorer::scorer_actor scorer;  // its own: verdicts are not borrowed
  std::vector<block_watcher_actor> watchers;
  std::shared_ptr<tables::ledger_store> ledger;
  std::shared_ptr<vote_memory> votes;  // of this key
  peers_actor peers;                   // absent for a validator that is alone
  std::function<void(const std::string&)>
      notify_operator;  // one line each; default: standard error
  // A snapshot of the ledger at the base of each epoch, for validators that come late: the folder,
  // and the role that writes it while the validator goes on. Without both no snapshot is kept.
  std::filesystem::path snapshots;
  background::background_actor snapshot_writer;
};

struct validator_options {
  std::uint32_t block_ms = 100;           // a block at most this often
  std::uint32_t idle_ms = 1'000;          // without transactions one this often; not below block_ms
  std::uint32_t view_timeout_ms = 1'500;  // T0; raised to twice the pace where that is more
  std::uint32_t listen_ms = 3'000;        // after a restart, before it signs; alone: not at all
  std::uint64_t seed = 0;                 // of which peer is asked for what is missing
  unsigned max_audits = 4;                // at once
  std::uint32_t audit_attempts =
      5;  // fetches of data that is not there, before it is called unavailable
};

class validator_parts;

struct validator_state {
  std::shared_ptr<validator_parts> parts;
};

/// `ledger` has been initialised with a genesis. Without a seat in the committee the validator
/// follows: it keeps the ledger and signs nothing until it has one.
validator_actor::behavior_type validator(validator_actor::stateful_pointer<validator_state> self,
                                         crypto::key_pair key, validator_ports ports,
                                         validator_options options);

/// Initialises an empty store with the genesis, or checks that the store is of this very network.
/// The reason when it is not, or when the genesis is not valid.
[[nodiscard]] expected<void, std::string> open_ledger(tables::ledger_store& ledger,
                                                      const soma::genesis& genesis);

}  // namespace soma::validator
