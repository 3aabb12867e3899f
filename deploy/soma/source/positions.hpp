// Which account holds which share of which staking pool, read from the ledger. The pool's own row
// holds the owner's shares. The shares, deposits and withdrawals of other holders, and the owner's
// deposits and withdrawals, are in rows of their own. Protocol §4.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "deploy/soma/source/ledger_source.hpp"

namespace soma::cli {

/// What one account holds in one pool.
struct position {
  pool_owner pool;
  address holder;
  bool is_owner = false;
  stake_pool of;             // the pool as it is now
  stake_row row;             // waiting deposits, leaving shares, and what is to be paid out
  std::uint64_t shares = 0;  // all shares, including those that leave
  shannons worth;            // what all these shares are worth now
  shannons leaving;          // what the shares are worth that leave when the epoch ends
  /// The sum of what has left the pool and is still to be paid out.
  [[nodiscard]] shannons unbonding() const;
};

/// The positions for which `wanted` returns true, ordered by pool and holder, validators before
/// models.
[[nodiscard]] std::vector<position> find_positions(
    ledger_source& source, const std::function<bool(const pool_owner&, const address&)>& wanted);
/// The positions of these holders, in the same order.
[[nodiscard]] std::vector<position> positions_of(ledger_source& source,
                                                 std::span<const address> holders);
/// All positions in one pool; that of its owner comes first.
[[nodiscard]] std::vector<position> positions_in(ledger_source& source, const pool_owner& pool);
/// The position of one holder in one pool; nullopt if there is no such pool.
[[nodiscard]] std::optional<position> position_in(ledger_source& source, const pool_owner& pool,
                                                  const address& holder);

struct stake_sum {
  shannons staked, joining, leaving, unbonding;  // `leaving` is a part of `staked`
};
/// The sum of the holder's positions among `positions`.
[[nodiscard]] stake_sum sum_of(std::span<const position> positions, const address& holder);

}  // namespace soma::cli
