// Describes pools of stake and the positions of their holders, protocol §4.
#pragma once

#include "actors/explain/format.hpp"

namespace soma::explain {

/// A pool as a step: its stake, its shares, the price of a share and the owner's part.
[[nodiscard]] step describe_pool(const explain_context& context, const pool_owner& whose,
                                 const stake_pool& pool, std::uint32_t commission_bps);
/// A pool and its owner. find_pool returns nullopt when the ledger has no such pool.
struct found_pool {
  stake_pool pool;
  address owner;
};
[[nodiscard]] std::optional<found_pool> find_pool(const tables::ledger_view& view,
                                                  const pool_owner& whose);
[[nodiscard]] std::optional<stake_row> find_position(const tables::ledger_view& view,
                                                     const stake_position& position);

/// One holder's position as a step: its shares, their worth, and the stake that joins or leaves.
[[nodiscard]] step describe_position(const explain_context& context, const stake_position& position,
                                     const found_pool& pool, const stake_row& row);
/// The first positions of a pool, at most options::listed.
[[nodiscard]] std::vector<step> describe_positions(const explain_context& context,
                                                   const pool_owner& whose, const stake_pool& pool,
                                                   const address& owner);
/// The coming deadlines of a position: when stake joins, when shares are burned, when stake is
/// paid out.
[[nodiscard]] std::vector<step> position_deadlines(const explain_context& context,
                                                   const stake_position& position,
                                                   const stake_row& row);

}  // namespace soma::explain
