#include "actors/rules/pools.hpp"

#include <algorithm>

#include "actors/rules/arithmetic.hpp"

namespace soma::rules {

std::optional<std::uint64_t> shares_for(const stake_pool& pool, shannons amount) {
  if (pool.shares == 0) return amount.value;
  return mul_div(amount.value, pool.shares, pool.stake.value);
}

shannons worth_of(const stake_pool& pool, std::uint64_t shares) {
  if (pool.shares == 0) return {};
  SOMA_ASSERT(shares <= pool.shares, "a holder has no more shares than the pool");
  return {share_of(pool.stake.value, shares, pool.shares)};
}

shannons own_stake(const stake_pool& pool) {
  return worth_of(pool, pool.owner_shares);
}

shannons counted_stake(const stake_pool& pool) {
  const auto most = static_cast<wide_uint>(own_stake(pool).value) * 10;
  return most < pool.stake.value ? shannons{static_cast<std::uint64_t>(most)} : pool.stake;
}

std::uint64_t shares_to_slash(const stake_pool& pool, shannons amount) {
  if (pool.owner_shares == pool.shares || pool.stake.value == 0) return 0;
  const auto product = static_cast<wide_uint>(amount.value) * pool.shares;
  const auto shares = (product + pool.stake.value - 1) / pool.stake.value;
  return static_cast<std::uint64_t>(std::min<wide_uint>(shares, pool.owner_shares));
}

void slash_shares(block_run& run, const pool_owner& whose, shannons amount) {
  SOMA_ASSERT(amount <= run.state.pool(whose)->stake, "a slash takes what the pool has");
  const auto burned = shares_to_slash(*run.state.pool(whose), amount);
  if (burned > 0) {
    run.state.update_shares(whose, [&](stake_pool& pool) {
      pool.shares -= burned;
      pool.owner_shares -= burned;
      SOMA_ASSERT(pool.owner_shares <= pool.shares, "the owner's shares are part of the pool's");
    });
  }
  note_stake_change(run, whose);
}

void reward_pool(block_run& run, const place& from, const pool_owner& whose, shannons amount) {
  const auto bps = std::holds_alternative<model_id>(whose)
                       ? run.state.models.get(std::get<model_id>(whose)).commission_bps
                       : run.state.validators.get(std::get<address>(whose)).commission_bps;
  SOMA_ASSERT(bps <= basis_points, "a commission is a part of a reward");
  const bool has_holders = run.state.pool(whose)->shares > 0;
  const auto commission =
      has_holders ? shannons{share_of(amount.value, bps, basis_points)} : amount;
  run.state.must_move(from, balance_of(owner_of(run.state, whose)), commission);
  run.state.must_move(from, stake_of(whose), {amount.value - commission.value});
  note_stake_change(run, whose);
}

address owner_of(const ledger::block_state& state, const pool_owner& whose) {
  if (const auto* model = std::get_if<model_id>(&whose)) return state.models.get(*model).owner;
  return std::get<address>(whose);
}

bool takes_deposits(const ledger::block_state& state, const pool_owner& whose) {
  if (const auto* model = std::get_if<model_id>(&whose)) {
    const auto& row = state.models.get(*model);
    return row.status != model_status::inactive && !row.retiring;
  }
  return state.validators.get(std::get<address>(whose)).wants_seat;
}

void note_stake_change(block_run& run, const pool_owner& whose) {
  if (const auto* model = std::get_if<model_id>(&whose)) {
    run.stakes_changed =
        run.stakes_changed || run.state.models.get(*model).status == model_status::active;
  }
}

}  // namespace soma::rules
