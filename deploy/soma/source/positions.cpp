#include "deploy/soma/source/positions.hpp"

#include <algorithm>
#include <map>

#include "actors/rules/pools.hpp"

namespace soma::cli {
namespace {

struct pool_state {
  address owner;
  stake_pool pool;
};

std::optional<pool_state> pool_at(ledger_source& source, const pool_owner& whose) {
  if (const auto* model = std::get_if<model_id>(&whose)) {
    const auto row = source.row<model_row>(model_key(*model));
    if (!row) return std::nullopt;
    return pool_state{row->owner, row->pool};
  }
  const auto& validator = std::get<address>(whose);
  const auto row = source.row<validator_row>(validator_key(validator));
  if (!row) return std::nullopt;
  return pool_state{validator, row->pool};
}

/// Whether a pool and what a holder has in it can be of one state. They are read one after the
/// other, and a network goes on meanwhile.
bool fit_together(const stake_pool& pool, std::uint64_t shares, const stake_row& row,
                  bool is_owner) {
  if (shares > pool.shares || row.leaving_shares > pool.shares) return false;
  return is_owner || std::ranges::all_of(row.unbonding, [&](const unbonding_amount& part) {
           const auto batch =
               std::ranges::find(pool.unbonding, part.payable_in, &unbonding_batch::payable_in);
           if (batch == pool.unbonding.end()) return part.amount.value == 0;
           return batch->amount.value != 0 && part.amount <= batch->amount;
         });
}

position make_position(const pool_owner& whose, const address& holder, const pool_state& state,
                       const stake_row& row) {
  position out;
  out.pool = whose;
  out.holder = holder;
  out.is_owner = holder == state.owner;
  out.of = state.pool;
  out.row = row;
  out.shares = out.is_owner ? state.pool.owner_shares : row.shares;
  if (!fit_together(state.pool, out.shares, row, out.is_owner)) {
    throw source_failure(
        "a block came between the rows that were read; give the same command "
        "again");
  }
  if (!out.is_owner) {
    for (auto& part : out.row.unbonding) part.amount = rules::kept_of(state.pool, part);
  }
  out.worth = rules::worth_of(state.pool, out.shares);
  out.leaving = rules::worth_of(state.pool, row.leaving_shares);
  return out;
}

using position_key = std::pair<pool_owner, address>;
using found_positions = std::map<position_key, stake_row>;

/// Collects the wanted rows of positions whose key begins with `prefix`.
void collect_rows(ledger_source& source, const row_key& prefix,
                  const std::function<bool(const pool_owner&, const address&)>& wanted,
                  found_positions& into) {
  source.scan(prefix, [&](byte_view key, byte_view value) {
    const auto place = position_in_key(key);
    if (place && wanted(place->pool, place->holder)) {
      into[{place->pool, place->holder}] = ledger_source::decoded<stake_row>(value);
    }
    return true;
  });
}

std::vector<position> in_order(const found_positions& rows,
                               const std::map<pool_owner, pool_state>& pools) {
  std::vector<position> all;
  for (const auto& [key, row] : rows) {
    const auto pool = pools.find(key.first);
    if (pool != pools.end()) {
      all.push_back(make_position(key.first, key.second, pool->second, row));
    }
  }
  return all;
}

}  // namespace

shannons position::unbonding() const {
  shannons sum;
  for (const auto& one : row.unbonding) sum.value += one.amount.value;
  return sum;
}

std::vector<position> find_positions(
    ledger_source& source, const std::function<bool(const pool_owner&, const address&)>& wanted) {
  found_positions rows;
  std::map<pool_owner, pool_state> pools;
  collect_rows(source, table_prefix(ledger_table::stake), wanted, rows);
  const auto take = [&](const pool_owner& whose, const address& owner, const stake_pool& pool) {
    const bool owner_wanted = pool.owner_shares > 0 && wanted(whose, owner);
    pools.emplace(whose, pool_state{owner, pool});
    if (owner_wanted) rows.try_emplace({whose, owner});
  };
  source.scan(table_prefix(ledger_table::validator), [&](byte_view key, byte_view value) {
    const auto row = ledger_source::decoded<validator_row>(value);
    if (const auto id = id_in_key<address>(key)) take(*id, *id, row.pool);
    return true;
  });
  source.scan(table_prefix(ledger_table::model), [&](byte_view key, byte_view value) {
    const auto row = ledger_source::decoded<model_row>(value);
    if (const auto id = id_in_key<model_id>(key)) take(*id, row.owner, row.pool);
    return true;
  });
  return in_order(rows, pools);
}

std::vector<position> positions_of(ledger_source& source, std::span<const address> holders) {
  return find_positions(source, [&](const pool_owner&, const address& holder) {
    return std::ranges::find(holders, holder) != holders.end();
  });
}

std::vector<position> positions_in(ledger_source& source, const pool_owner& pool) {
  const auto state = pool_at(source, pool);
  if (!state) return {};
  found_positions rows;
  collect_rows(
      source, stake_prefix(pool), [](const auto&, const auto&) { return true; }, rows);
  if (state->pool.owner_shares > 0) rows.try_emplace({pool, state->owner});
  auto all = in_order(rows, {{pool, *state}});
  std::ranges::stable_partition(all, [](const position& one) { return one.is_owner; });
  return all;
}

std::optional<position> position_in(ledger_source& source, const pool_owner& pool,
                                    const address& holder) {
  const auto state = pool_at(source, pool);
  if (!state) return std::nullopt;
  const auto row = source.row<stake_row>(stake_key({pool, holder}));
  return make_position(pool, holder, *state, row.value_or(stake_row{}));
}

stake_sum sum_of(std::span<const position> positions, const address& holder) {
  stake_sum sum;
  for (const auto& one : positions) {
    if (one.holder != holder) continue;
    sum.staked.value += one.worth.value;
    sum.joining.value += one.row.joining.value;
    sum.leaving.value += one.leaving.value;
    sum.unbonding.value += one.unbonding().value;
  }
  return sum;
}

}  // namespace soma::cli
