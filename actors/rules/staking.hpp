// Deposits, withdrawals and commissions, protocol §4. A deposit is locked at once and becomes
// shares when the epoch ends; a withdrawal burns shares when the epoch ends and is paid out one
// epoch later, or two if the pool is a validator's (both numbers are fields of the genesis). The
// order of the checks is the order of the refusals.
#pragma once

#include "actors/rules/block_run.hpp"

namespace soma::rules {

/// Deposits stake into a pool; it becomes shares at the end of the epoch. Protocol §4.3.
[[nodiscard]] refused add_stake(block_run& run, const address& sender, const tx::add_stake& what);
/// Withdraws shares from a pool; they are burned at the end of the epoch. Protocol §4.4.
[[nodiscard]] refused withdraw_stake(block_run& run, const address& sender,
                                     const tx::withdraw_stake& what);
/// The commission holds from the next epoch on. It is at most max_commission_step_bps above the
/// present one. Protocol §4.8.
[[nodiscard]] refused set_commission(block_run& run, const address& sender,
                                     const tx::set_commission& what);

/// Locks a deposit until the epoch ends. An amount of zero changes nothing.
[[nodiscard]] refused lock_deposit(block_run& run, const pool_owner& pool, const address& holder,
                                   shannons amount);
/// The owner's first deposit into its own empty pool makes shares at once, since there is no other
/// holder whose price it could change. Protocol §4.2.
[[nodiscard]] refused found_pool(block_run& run, const pool_owner& pool, const address& owner,
                                 shannons amount);

/// The end of an epoch, for every position on its agenda in the order of their keys: pays out what
/// is due, burns the shares that leave, then turns deposits into shares. Protocol §4.5.
void settle_stakes(block_run& run);
/// The end of an epoch, after the rewards: the commissions that were set hold from now on.
void change_commissions(block_run& run, std::span<const model_id> models);

}  // namespace soma::rules
