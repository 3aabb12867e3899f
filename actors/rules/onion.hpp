// Hash onions, protocol §7.1: where the entropy of draws comes from. A member binds its key to the
// outermost layer of an onion, and each block of its own shows the next layer inside. So a proposer
// cannot choose what its block adds to the entropy: it can only give its block up.
#pragma once

#include "actors/rules/block_run.hpp"

namespace soma::rules {

/// So many blocks after it was committed an onion takes its place. By then others have mixed in
/// what its owner could not know when it chose the onion.
inline constexpr std::uint64_t onion_delay = 64;

/// The row as a block of this height finds it: what waited may have taken its place. Its layer is
/// the one around what the block must peel, and zero while the key has no onion.
[[nodiscard]] onion_row due_at(const std::optional<onion_row>& onion, block_height height);
/// True if `peel` is the next layer inside, or zero where there is no onion. Protocol §7.1.2.
[[nodiscard]] bool peel_holds(const std::optional<onion_row>& onion, block_height height,
                              const hash256& peel);

/// Takes a layer off the onion of the proposer's key and mixes it into the entropy. The peel holds.
void peel_onion(block_run& run, const public_key& proposer, const hash256& peel);

/// The checks of a commitment to an onion, without its effect. Protocol §7.1.1.
[[nodiscard]] refused check_onion(const block_run& run, const address& sender,
                                  const tx::commit_onion& what);
/// Binds the key of the sender's seat to an onion. Protocol §7.1.1.
[[nodiscard]] refused commit_onion(block_run& run, const address& sender,
                                   const tx::commit_onion& what);

}  // namespace soma::rules
