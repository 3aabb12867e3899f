// Protocol §4: one pool mechanism for the stakes of validators and models. As long as nobody
// delegates, the owner holds every share: deposits become shares at once, since there is no other
// holder whose price they could change.
#pragma once

#include "actors/rules/block_run.hpp"

namespace soma::rules {

/// Shares that a deposit buys at the pool's present price, floor; the first deposit buys 1:1.
/// nullopt: too many to count.
[[nodiscard]] std::optional<std::uint64_t> shares_for(const stake_pool& pool, shannons amount);
/// What the owner's shares are worth, floor.
[[nodiscard]] shannons own_stake(const stake_pool& pool);

/// The owner's deposit into a model's pool out of the owner's balance.
[[nodiscard]] refused deposit_into_model(block_run& run, const model_id& model,
                                         const address& owner, shannons amount);
/// A reward for a model: commission to the owner's balance, the rest raises the pool.
void reward_model(block_run& run, const place& from, const model_id& model, shannons amount);
/// The same for a validator.
void reward_validator(block_run& run, const place& from, const address& validator, shannons amount);

}  // namespace soma::rules
