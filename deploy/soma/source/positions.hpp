// Who has what in which staking pool, read from the ledger: the owner's shares stand in the pool
// itself, everybody's deposits and withdrawals in rows of their own. Protocol §4.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "deploy/soma/source/ledger_source.hpp"

namespace soma::cli {

struct position {
  pool_owner pool;
  address holder;
  bool is_owner = false;
  stake_pool of;             // the pool as it stands
  stake_row row;             // deposits that wait, shares that leave, what is to be paid out
  std::uint64_t shares = 0;  // all of them, those that leave included
  shannons worth;            // of these shares now
  shannons leaving;          // worth of those that leave when the epoch ends
  [[nodiscard]] shannons unbonding() const;
};

/// Positions that satisfy `wanted`, by pool and holder: validators before models.
[[nodiscard]] std::vector<position> find_positions(
    ledger_source& source, const std::function<bool(const pool_owner&, const address&)>& wanted);
[[nodiscard]] std::vector<position> positions_of(ledger_source& source,
                                                 std::span<const address> holders);
/// All of one pool, its owner's first.
[[nodiscard]] std::vector<position> positions_in(ledger_source& source, const pool_owner& pool);
/// One holder's in one pool; nullopt when there is no such pool.
[[nodiscard]] std::optional<position> position_in(ledger_source& source, const pool_owner& pool,
                                                  const address& holder);

struct stake_sum {
  shannons staked, joining, leaving, unbonding;  // `leaving` is a part of `staked`
};
[[nodiscard]] stake_sum sum_of(std::span<const position> positions, const address& holder);

}  // namespace soma::cli
