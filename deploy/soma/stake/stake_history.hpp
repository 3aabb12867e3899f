// What a stake was when it was locked, and what its pool has been paid since, from the events of a
// stored ledger. Protocol §4.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "deploy/soma/source/ledger_source.hpp"
#include "deploy/soma/source/positions.hpp"
#include "messages/values/blocks.hpp"

namespace soma::cli {

/// What a holder has locked in a pool, less the same part of it that has left the pool of its
/// shares. `events` are those of the holder, the first one first; `at_genesis` is what the genesis
/// has locked for it. nullopt if the events do not lead to `shares`: after a slash of an owner's
/// shares, or in a ledger that was taken over from others and lacks earlier events.
[[nodiscard]] std::optional<shannons> principal_of(std::span<const event> events,
                                                   const pool_owner& pool, const address& holder,
                                                   shannons at_genesis, std::uint64_t shares);

/// Sums by epoch, in order.
using epoch_sums = std::map<epoch_number, shannons>;

/// What the pool was paid in each epoch, its owner's commission included. `events` are those of the
/// pool's owner.
[[nodiscard]] epoch_sums rewards_of(std::span<const event> events, const pool_owner& pool);

/// The most events of an account that are read for its history.
inline constexpr std::size_t max_history_events = 200'000;

/// The histories of a ledger's stakes. The events of an account are read once. Nothing is known if
/// the source has no events, as a connection to a validator, or if the account has more than
/// max_history_events.
class stake_histories {
 public:
  explicit stake_histories(ledger_source& source) : source_(source) {}
  [[nodiscard]] std::optional<shannons> principal(const position& one);
  [[nodiscard]] std::optional<epoch_sums> rewards(const pool_owner& pool);

 private:
  using history = std::optional<std::vector<event>>;
  [[nodiscard]] const history& events_of(const address& account);
  [[nodiscard]] std::optional<address> owner_of(const pool_owner& pool);
  [[nodiscard]] shannons at_genesis(const position& one) const;

  ledger_source& source_;
  std::map<address, history> events_;
};

}  // namespace soma::cli
