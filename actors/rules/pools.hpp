// Protocol §4.1: one pool mechanism for the stakes of validators and models, as arithmetic on one
// pool. A share's price is stake / shares and never falls but by a slash: every floor favours the
// pool.
#pragma once

#include "actors/rules/block_run.hpp"

namespace soma::rules {

/// The shares that a deposit buys at the pool's present price, rounded down; the first deposit buys
/// 1:1. nullopt if they are too many to count, or if the pool has shares and no stake, so that
/// there is no price.
[[nodiscard]] std::optional<std::uint64_t> shares_for(const stake_pool& pool, shannons amount);
/// What so many of the pool's shares are worth, rounded down; all of them are worth all of the
/// stake.
[[nodiscard]] shannons worth_of(const stake_pool& pool, std::uint64_t shares);
/// What the owner's shares are worth.
[[nodiscard]] shannons own_stake(const stake_pool& pool);
/// What a pool counts for seats, power and assignment: its stake, at most ten times the owner's
/// part, so that nobody decides with stake of others and next to nothing to lose. Protocol §4.9.
[[nodiscard]] shannons counted_stake(const stake_pool& pool);
/// The number of the owner's shares to burn when `amount` of stake is slashed, so that the owner's
/// part shrinks: ceil(amount * shares / stake), at most all of them. It is 0 when the owner holds
/// every share: then the stake is the owner's alone, and shares without stake would have no price.
[[nodiscard]] std::uint64_t shares_to_slash(const stake_pool& pool, shannons amount);

/// Slashes `amount` of the pool's stake, the owner's part first, and the rest from all others by
/// price; the amount is at most the stake. The caller moves the money. Protocol §4.7.
void slash_shares(block_run& run, const pool_owner& whose, shannons amount);
/// A reward: commission to the owner's balance, the rest raises the pool's stake without new
/// shares. A pool without shares has no holders: then all of it goes to the owner. Protocol §4.6.
void reward_pool(block_run& run, const place& from, const pool_owner& whose, shannons amount);

/// The owner of a pool that exists.
[[nodiscard]] address owner_of(const ledger::block_state& state, const pool_owner& whose);
/// Whether the pool takes deposits (protocol §4.3): of a model that is neither retiring nor
/// inactive, of a validator that wants a seat.
[[nodiscard]] bool takes_deposits(const ledger::block_state& state, const pool_owner& whose);
/// Notes a change of a candidate's stake in the run, since stakes are part of what the router
/// knows.
void note_stake_change(block_run& run, const pool_owner& whose);

}  // namespace soma::rules
