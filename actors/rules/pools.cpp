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

namespace {

/// Takes up to `wanted` of what the pool's owner has withdrawn, the earliest first; returns how
/// much. The owner cannot sell those who trusted it by leaving before them.
std::uint64_t take_from_owner(block_run& run, const stake_position& position,
                              std::uint64_t wanted) {
  const auto* found = run.state.stakes.find(position);
  if (found == nullptr || found->unbonding.empty()) return 0;
  stake_row row = *found;
  std::uint64_t taken = 0;
  for (auto& part : row.unbonding) {
    const auto cut = std::min(wanted - taken, part.amount.value);
    part.amount.value -= cut;
    taken += cut;
  }
  run.state.stakes.put(position, std::move(row));
  return taken;
}

shannons withdrawn_by_owner(const block_run& run, const stake_position& position) {
  shannons sum;
  if (const auto* row = run.state.stakes.find(position)) {
    for (const auto& part : row->unbonding) sum.value += part.amount.value;
  }
  return sum;
}

}  // namespace

slashed_amounts slash_pool(block_run& run, const pool_owner& whose, std::uint32_t bps,
                           epoch_number since) {
  const stake_position owner{whose, owner_of(run.state, whose)};
  stake_pool pool = *run.state.pool(whose);
  const auto first_due = since.value + unbonding_epochs(run.parameters, whose);
  std::uint64_t left = 0;  // what others have withdrawn that backed the pool then
  for (const auto& batch : pool.unbonding) {
    if (batch.payable_in.value >= first_due) left += batch.kept.value;
  }
  const auto all = pool.stake.value + withdrawn_by_owner(run, owner).value + left;
  auto rest = share_of(all, bps, basis_points);
  slashed_amounts slashed;
  slashed.unbonding.value = take_from_owner(run, owner, rest);
  rest -= slashed.unbonding.value;
  const auto own = own_stake(pool).value;
  slashed.staked.value = std::min(rest, own);
  rest -= slashed.staked.value;
  auto others = pool.stake.value - own + left;
  SOMA_ASSERT(rest <= others, "a slash takes what there is");
  for (auto& batch : pool.unbonding) {
    if (batch.payable_in.value < first_due || rest == 0) continue;
    const auto cut = share_of(rest, batch.kept.value, others);
    others -= batch.kept.value;
    batch.kept.value -= cut;
    rest -= cut;
    slashed.unbonding.value += cut;
  }
  slashed.staked.value += rest;
  const auto burned = shares_to_slash(pool, slashed.staked);
  run.state.update_shares(whose, [&](stake_pool& p) {
    p.shares -= burned;
    p.owner_shares -= burned;
    p.unbonding = std::move(pool.unbonding);
    SOMA_ASSERT(p.owner_shares <= p.shares, "the owner's shares are part of the pool's");
  });
  note_stake_change(run, whose);
  return slashed;
}

void move_slashed(block_run& run, const pool_owner& whose, slashed_amounts& from, const place& to,
                  shannons amount) {
  SOMA_ASSERT(amount <= from.sum(), "a slash gives what it has taken");
  const shannons staked = std::min(amount, from.staked);
  const shannons unbonding{amount.value - staked.value};
  run.state.must_move(stake_of(whose), to, staked);
  run.state.must_move(of(pot::unbonding), to, unbonding);
  from.staked.value -= staked.value;
  from.unbonding.value -= unbonding.value;
}

std::uint32_t unbonding_epochs(const genesis_parameters& p, const pool_owner& whose) {
  return std::holds_alternative<model_id>(whose) ? p.model_unbonding_epochs
                                                 : p.validator_unbonding_epochs;
}

shannons kept_of(const stake_pool& pool, const unbonding_amount& part) {
  for (const auto& batch : pool.unbonding) {
    if (batch.payable_in != part.payable_in) continue;
    SOMA_ASSERT(part.amount <= batch.amount, "a withdrawal is a part of its epoch's");
    return {share_of(batch.kept.value, part.amount.value, batch.amount.value)};
  }
  SOMA_ASSERT(part.amount.value == 0, "a pool counts what waits to be paid out");
  return {};
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
