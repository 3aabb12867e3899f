// A node with an empty ledger may take the ledger over from its peers before any role runs. This is
// the part around actors/state_sync/state_sync.hpp: the connections, the clock, and the notes for
// the operator.
#pragma once

#include <optional>

#include "actors/state_tree/state_tree.hpp"
#include "deploy/soma/shell/failure.hpp"
#include "deploy/soma/source/node_config.hpp"
#include "messages/crypto/ed25519.hpp"
#include "messages/values/genesis.hpp"

namespace soma::cli {

/// Fills the home's ledger from a snapshot of the peers, and returns its state tree. A ledger that
/// exists is left as it is. If no peer has a snapshot, it returns with success and without a
/// ledger, and the node then executes all blocks. In both cases there is no tree. It waits for
/// peers without a time limit; a request to stop is a failure. Throws if the disk fails.
[[nodiscard]] expected<std::optional<state_tree::tree>, failure> take_state(
    const node_config& config, const soma::genesis& genesis, const crypto::key_pair& key);

}  // namespace soma::cli
