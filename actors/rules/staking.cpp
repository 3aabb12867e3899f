#include "actors/rules/staking.hpp"

#include <algorithm>

#include "actors/rules/agenda.hpp"
#include "actors/rules/arithmetic.hpp"
#include "actors/rules/pools.hpp"

namespace soma::rules {
namespace {

/// Notes an event about a position. The event names the pool in `model` or in `other`.
event& note_stake(block_run& run, event_kind kind, const stake_position& position,
                  shannons amount) {
  auto& e = run.note(kind);
  if (const auto* model = std::get_if<model_id>(&position.pool)) {
    e.model.model = *model;
  } else {
    e.other = std::get<address>(position.pool);
  }
  e.account = position.holder;
  e.amount = amount;
  return e;
}

bool is_owner(const block_run& run, const stake_position& position) {
  return owner_of(run.state, position.pool) == position.holder;
}

std::uint64_t shares_held(const block_run& run, const stake_position& position,
                          const stake_row& row) {
  return is_owner(run, position) ? run.state.pool(position.pool)->owner_shares : row.shares;
}

stake_row row_of(const block_run& run, const stake_position& position) {
  const auto* found = run.state.stakes.find(position);
  return found != nullptr ? *found : stake_row{};
}

/// What the owner must keep while the pool takes deposits; zero otherwise.
shannons least_own_stake(const block_run& run, const pool_owner& pool) {
  if (!takes_deposits(run.state, pool)) return {};
  return std::holds_alternative<model_id>(pool) ? run.parameters.min_model_stake
                                                : run.parameters.min_validator_stake;
}

/// The least that anybody puts into a pool or leaves in it. The end of an epoch settles positions
/// one by one, so each of them has to lock an amount that makes millions of them unaffordable.
shannons least_position(const genesis_parameters& p) {
  return p.min_model_stake;
}

void change_shares(block_run& run, const stake_position& position, stake_row& row,
                   std::int64_t by) {
  const auto change = static_cast<std::uint64_t>(by);  // in two's complement, so it also subtracts
  const bool owner = is_owner(run, position);
  SOMA_ASSERT(by >= 0 || 0 - change <= shares_held(run, position, row),
              "a position gives up shares that it has");
  run.state.update_shares(position.pool, [&](stake_pool& pool) {
    pool.shares += change;
    if (owner) pool.owner_shares += change;
    SOMA_ASSERT(pool.owner_shares <= pool.shares, "the owner's shares are part of the pool's");
  });
  if (!owner) row.shares += change;
  note_stake_change(run, position.pool);
}

/// What is paid for an amount that the holder has withdrawn. An owner's amounts were slashed
/// themselves; of all others the pool keeps one sum for each epoch, so that a slash does not have
/// to look for them. The last one gets all that is left of its batch.
shannons take_from_batch(block_run& run, const stake_position& position,
                         const unbonding_amount& part) {
  if (is_owner(run, position)) return part.amount;
  const auto paid = kept_of(*run.state.pool(position.pool), part);
  run.state.update_shares(position.pool, [&](stake_pool& pool) {
    std::erase_if(pool.unbonding, [&](unbonding_batch& batch) {
      if (batch.payable_in != part.payable_in) return false;
      batch.amount.value -= part.amount.value;
      batch.kept.value -= paid.value;
      SOMA_ASSERT(batch.amount.value > 0 || batch.kept.value == 0, "a batch is paid out whole");
      return batch.amount.value == 0;
    });
  });
  return paid;
}

void add_to_batch(block_run& run, const stake_position& position, const unbonding_amount& part) {
  if (is_owner(run, position)) return;
  run.state.update_shares(position.pool, [&](stake_pool& pool) {
    auto& batches = pool.unbonding;
    if (batches.empty() || batches.back().payable_in != part.payable_in) {
      batches.push_back({part.payable_in, {}, {}});
    }
    batches.back().amount.value += part.amount.value;
    batches.back().kept.value += part.amount.value;
    SOMA_ASSERT(batches.size() <= max_unbonding, "a pool has one batch for each epoch");
  });
}

void pay_out(block_run& run, const stake_position& position, stake_row& row) {
  std::erase_if(row.unbonding, [&](const unbonding_amount& part) {
    if (part.payable_in > run.epoch()) return false;
    const auto paid = take_from_batch(run, position, part);
    run.state.must_move(of(pot::unbonding), balance_of(position.holder), paid);
    note_stake(run, event_kind::stake_paid_out, position, paid);
    return true;
  });
}

void burn_leaving(block_run& run, const stake_position& position, stake_row& row) {
  // A slash may have taken shares that were about to leave.
  const auto shares = std::min(row.leaving_shares, shares_held(run, position, row));
  row.leaving_shares = 0;
  if (shares == 0) return;
  const auto amount = worth_of(*run.state.pool(position.pool), shares);
  const auto wait = unbonding_epochs(run.parameters, position.pool);
  const epoch_number payable{run.epoch().value + wait};
  run.state.must_move(stake_of(position.pool), of(pot::unbonding), amount);
  change_shares(run, position, row, -static_cast<std::int64_t>(shares));
  auto& e = note_stake(run, event_kind::stake_left, position, amount);
  e.detail = payable.value;
  if (amount.value == 0) return;
  row.unbonding.push_back({amount, payable});
  add_to_batch(run, position, row.unbonding.back());
  SOMA_ASSERT(row.unbonding.size() <= max_unbonding, "a position has one payment for each epoch");
  schedule(run, payable, position);
}

void join(block_run& run, const stake_position& position, stake_row& row) {
  const auto amount = row.joining;
  row.joining = {};
  if (amount.value == 0) return;
  const auto& pool = *run.state.pool(position.pool);
  const auto shares = takes_deposits(run.state, position.pool) ? shares_for(pool, amount) : 0;
  // Changes of shares are signed numbers. Only at a price near zero can a deposit buy more shares
  // than they can hold.
  const bool fits = shares && *shares > 0 &&
                    *shares <= INT64_MAX - std::min<std::uint64_t>(pool.shares, INT64_MAX);
  if (!fits) {
    run.state.must_move(of(pot::joining), balance_of(position.holder), amount);
    note_stake(run, event_kind::stake_returned, position, amount);
    return;
  }
  run.state.must_move(of(pot::joining), stake_of(position.pool), amount);
  change_shares(run, position, row, static_cast<std::int64_t>(*shares));
  note_stake(run, event_kind::stake_joined, position, amount).detail = *shares;
}

}  // namespace

refused lock_deposit(block_run& run, const pool_owner& pool, const address& holder,
                     shannons amount) {
  if (amount.value == 0) return std::nullopt;
  if (!run.state.move(balance_of(holder), of(pot::joining), amount))
    return refusal::balance_too_low;
  SOMA_ASSERT(takes_deposits(run.state, pool), "a deposit goes into a pool that is open");
  const stake_position position{pool, holder};
  auto row = row_of(run, position);
  row.joining.value += amount.value;
  run.state.stakes.put(position, std::move(row));
  schedule(run, run.epoch(), position);
  note_stake(run, event_kind::stake_added, position, amount);
  return std::nullopt;
}

refused found_pool(block_run& run, const pool_owner& pool, const address& owner, shannons amount) {
  SOMA_ASSERT(run.state.pool(pool)->shares == 0, "a pool is founded once");
  if (!run.state.move(balance_of(owner), stake_of(pool), amount)) return refusal::balance_too_low;
  run.state.update_shares(pool, [&](stake_pool& p) { p.shares = p.owner_shares = amount.value; });
  return std::nullopt;
}

refused add_stake(block_run& run, const address& sender, const tx::add_stake& what) {
  if (what.amount.value == 0) return refusal::amount_is_zero;
  if (run.state.pool(what.pool) == nullptr) return refusal::pool_unknown;
  if (!takes_deposits(run.state, what.pool)) return refusal::pool_closed;
  if (what.amount < least_position(run.parameters)) return refusal::deposit_too_small;
  return lock_deposit(run, what.pool, sender, what.amount);
}

refused withdraw_stake(block_run& run, const address& sender, const tx::withdraw_stake& what) {
  if (what.shares == 0) return refusal::shares_are_zero;
  const auto* pool = run.state.pool(what.pool);
  if (pool == nullptr) return refusal::pool_unknown;
  const stake_position position{what.pool, sender};
  auto row = row_of(run, position);
  const auto held = shares_held(run, position, row);
  if (row.leaving_shares > held || held - row.leaving_shares < what.shares) {
    return refusal::not_enough_shares;
  }
  row.leaving_shares += what.shares;
  const auto staying = held - row.leaving_shares;
  if (is_owner(run, position) && worth_of(*pool, staying) < least_own_stake(run, what.pool)) {
    return refusal::own_stake_needed;
  }
  if (staying > 0 && worth_of(*pool, staying) < least_position(run.parameters)) {
    return refusal::remainder_too_small;
  }
  run.state.stakes.put(position, std::move(row));
  schedule(run, run.epoch(), position);
  note_stake(run, event_kind::stake_withdrawn, position, {}).detail = what.shares;
  return std::nullopt;
}

refused set_commission(block_run& run, const address& sender, const tx::set_commission& what) {
  if (run.state.pool(what.pool) == nullptr) return refusal::pool_unknown;
  if (owner_of(run.state, what.pool) != sender) return refusal::not_pool_owner;
  if (!takes_deposits(run.state, what.pool)) return refusal::pool_closed;
  if (what.commission_bps > basis_points) return refusal::commission_out_of_range;
  refused no;
  const auto set = [&](auto& row) {
    if (what.commission_bps > row.commission_bps + run.parameters.max_commission_step_bps) {
      no = refusal::commission_step_too_large;
    } else {
      row.next_commission_bps = what.commission_bps;
    }
  };
  if (const auto* model = std::get_if<model_id>(&what.pool)) {
    run.state.models.update(*model, set);
    schedule(run, run.epoch(), *model);
  } else {
    run.state.validators.update(sender, set);
    schedule(run, run.epoch(), sender);
  }
  return no;
}

void settle_stakes(block_run& run) {
  for (const auto& position : take_due<stake_position>(run)) {
    auto row = row_of(run, position);
    pay_out(run, position, row);
    burn_leaving(run, position, row);
    join(run, position, row);
    SOMA_ASSERT(row.joining.value == 0 && row.leaving_shares == 0,
                "an epoch's end leaves no deposit and no withdrawal waiting");
    if (row == stake_row{}) {
      run.state.stakes.erase(position);
    } else {
      run.state.stakes.put(position, std::move(row));
    }
  }
}

void change_commissions(block_run& run, std::span<const model_id> models) {
  const auto hold = [&](auto& row, const pool_owner& pool) {
    if (row.commission_bps == row.next_commission_bps) return;
    row.commission_bps = row.next_commission_bps;
    auto& e =
        note_stake(run, event_kind::commission_changed, {pool, owner_of(run.state, pool)}, {});
    e.detail = row.commission_bps;
  };
  for (const auto& model : models) {
    run.state.models.update(model, [&](model_row& row) { hold(row, model); });
  }
  for (const auto& who : take_due<address>(run)) {
    run.state.validators.update(who, [&](validator_row& row) { hold(row, who); });
  }
}

}  // namespace soma::rules
