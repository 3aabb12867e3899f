// A node that begins with an empty ledger takes it over from its peers, before any role runs: the
// connections and the clock of actors/state_sync/state_sync.hpp, and what a person reads of it.
#pragma once

#include "deploy/soma/shell/failure.hpp"
#include "deploy/soma/source/node_config.hpp"
#include "messages/crypto/ed25519.hpp"
#include "messages/values/genesis.hpp"

namespace soma::cli {

/// Puts a ledger into the home's place for it if there is none yet, and leaves it alone if there is
/// one. Returns, too, when no peer has a snapshot: then blocks are what is left. Waits for peers
/// for as long as it takes; a stop that is asked for is a failure. Throws when the disk fails.
[[nodiscard]] outcome take_state(const node_config& config, const soma::genesis& genesis,
                                 const crypto::key_pair& key);

}  // namespace soma::cli
