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

/// What a slash has taken and nobody has got yet: it lies in the pool's stake, or in the pot of
/// what waits to be paid out, until move_slashed has moved it.
struct slashed_amounts {
  shannons staked, unbonding;
  [[nodiscard]] shannons sum() const { return {staked.value + unbonding.value}; }
};
/// Slashes so many basis points of a pool and of what has left it and is not paid out: all that its
/// owner has withdrawn, and what others have that were still in the pool at the end of epoch
/// `since`. The owner pays first, out of what it has withdrawn and then by its shares; all others
/// lose what that does not cover, in proportion to what they have. Protocol §4.7.
[[nodiscard]] slashed_amounts slash_pool(block_run& run, const pool_owner& whose, std::uint32_t bps,
                                         epoch_number since);
/// Moves a part of what a slash has taken, first what lies in the pool. In the end all is moved.
void move_slashed(block_run& run, const pool_owner& whose, slashed_amounts& from, const place& to,
                  shannons amount);

/// For how many epochs an amount that has left a pool waits.
[[nodiscard]] std::uint32_t unbonding_epochs(const genesis_parameters& p, const pool_owner& whose);
/// What slashes have left of an amount that a holder other than the owner has withdrawn from this
/// pool. Protocol §4.5.
[[nodiscard]] shannons kept_of(const stake_pool& pool, const unbonding_amount& part);

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
