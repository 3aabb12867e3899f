// Pools and what holders have in them, protocol §4.
#pragma once

#include "actors/explain/narrate.hpp"

namespace soma::explain {

/// Stake, shares, the price of one, the owner's part.
[[nodiscard]] step told_pool(const telling& t, const pool_owner& whose, const stake_pool& pool,
                             std::uint32_t commission_bps);
/// The pool that a position is in and its owner; nullopt where there is none any more.
struct found_pool {
  stake_pool pool;
  address owner;
};
[[nodiscard]] std::optional<found_pool> find_pool(const storage::ledger_view& view,
                                                  const pool_owner& whose);
[[nodiscard]] std::optional<stake_row> find_position(const storage::ledger_view& view,
                                                     const stake_position& position);

/// One holder's position: shares, their worth, what joins and what leaves.
[[nodiscard]] step told_position(const telling& t, const stake_position& position,
                                 const found_pool& pool, const stake_row& row);
/// The first of a pool's positions, as many as lists show.
[[nodiscard]] std::vector<step> told_positions(const telling& t, const pool_owner& whose,
                                               const stake_pool& pool, const address& owner);
/// What a position waits for: shares, burning, payment.
[[nodiscard]] std::vector<step> position_deadlines(const telling& t, const stake_position& position,
                                                   const stake_row& row);

}  // namespace soma::explain
