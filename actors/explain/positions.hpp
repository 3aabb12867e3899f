// Pools and what holders have in them, protocol §4.
#pragma once

#include "actors/explain/format.hpp"

namespace soma::explain {

/// A pool as a step: its stake, its shares, the price of a share, the owner's part.
[[nodiscard]] step describe_pool(const explain_context& context, const pool_owner& whose,
                                 const stake_pool& pool, std::uint32_t commission_bps);
/// A pool and its owner; find_pool returns nullopt where the ledger has no such pool.
struct found_pool {
  stake_pool pool;
  address owner;
};
[[nodiscard]] std::optional<found_pool> find_pool(const tables::ledger_view& view,
                                                  const pool_owner& whose);
[[nodiscard]] std::optional<stake_row> find_position(const tables::ledger_view& view,
                                                     const stake_position& position);

/// One holder's position as a step: shares, their worth, what joins and what leaves.
[[nodiscard]] step describe_position(const explain_context& context, const stake_position& position,
                                     const found_pool& pool, const stake_row& row);
/// The first positions of a pool, as many as lists show.
[[nodiscard]] std::vector<step> describe_positions(const explain_context& context,
                                                   const pool_owner& whose, const stake_pool& pool,
                                                   const address& owner);
/// What a position waits for: shares, burning, payment.
[[nodiscard]] std::vector<step> position_deadlines(const explain_context& context,
                                                   const stake_position& position,
                                                   const stake_row& row);

}  // namespace soma::explain
