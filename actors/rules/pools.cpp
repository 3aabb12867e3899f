#include "actors/rules/pools.hpp"

#include "actors/rules/arithmetic.hpp"

namespace soma::rules {

std::optional<std::uint64_t> shares_for(const stake_pool& pool, shannons amount) {
  if (pool.shares == 0 || pool.stake.value == 0) return amount.value;
  return mul_div(amount.value, pool.shares, pool.stake.value);
}

shannons own_stake(const stake_pool& pool) {
  if (pool.shares == 0) return {};
  return {share_of(pool.stake.value, pool.owner_shares, pool.shares)};
}

refused deposit_into_model(block_run& run, const model_id& model, const address& owner,
                           shannons amount) {
  if (amount.value == 0) return std::nullopt;
  const auto shares = shares_for(run.state.models.get(model).pool, amount);
  if (!shares) return refusal::arithmetic_overflow;
  std::uint64_t all = 0;
  if (__builtin_add_overflow(run.state.models.get(model).pool.shares, *shares, &all)) {
    return refusal::arithmetic_overflow;
  }
  if (const auto no = run.state.move(balance_of(owner), model_stake(model), amount)) return no;
  run.state.models.update(model, [&](model_row& row) {
    row.pool.shares = all;
    row.pool.owner_shares += *shares;
  });
  run.stakes_changed = true;
  return std::nullopt;
}

void reward_model(block_run& run, const place& from, const model_id& model, shannons amount) {
  const model_row row = run.state.models.get(model);
  const shannons commission{share_of(amount.value, row.commission_bps, basis_points)};
  run.state.must_move(from, balance_of(row.owner), commission);
  run.state.must_move(from, model_stake(model), {amount.value - commission.value});
  run.stakes_changed = true;
}

void reward_validator(block_run& run, const place& from, const address& validator,
                      shannons amount) {
  const auto bps = run.state.validators.get(validator).commission_bps;
  const shannons commission{share_of(amount.value, bps, basis_points)};
  run.state.must_move(from, balance_of(validator), commission);
  run.state.must_move(from, validator_stake(validator), {amount.value - commission.value});
}

}  // namespace soma::rules
