// The validator: keeps the ledger, orders transactions into blocks, executes them through the
// rules, audits what was revealed, votes. It decides, makes durable, then announces. Spawned
// detached: it waits for its disk.
#pragma once

#include <memory>
#include <vector>

#include "actors/clock/clock_actor.hpp"
#include "actors/model_registry/model_registry_actor.hpp"
#include "actors/scorer/scorer_actor.hpp"
#include "actors/target_generator/target_generator_actor.hpp"
#include "actors/validator/validator_actor.hpp"
#include "messages/crypto/ed25519.hpp"
#include "messages/types/genesis.hpp"
#include "storage/tables/ledger_store.hpp"

namespace soma::actors {

struct validator_ports {
  clock_actor clock;
  target_generator_actor target_generator;
  model_registry_actor registry;
  scorer_actor scorer;  // its own: verdicts are not borrowed
  std::vector<block_watcher_actor> watchers;
  std::shared_ptr<storage::ledger_store> ledger;
};

struct validator_options {
  std::uint32_t block_ms = 1'000;  // a block at most this often, and only when there is a reason
  unsigned max_audits = 4;         // at once
  std::uint32_t audit_attempts =
      5;  // fetches of data that is not there, before it is called unavailable
};

/// `ledger` has been initialised with a genesis in whose committee `key` is.
validator_actor::behavior_type validator(validator_actor::pointer self, crypto::key_pair key,
                                         validator_ports ports, validator_options options);

/// Initialises an empty store with the genesis, or checks that the store is of this very network.
/// The reason when it is not, or when the genesis is not valid.
[[nodiscard]] expected<void, std::string> open_ledger(storage::ledger_store& ledger,
                                                      const genesis& born);

}  // namespace soma::actors
