// The committee of one epoch: which keys may vote, with what weight, and which one leads a view.
#pragma once

#include <optional>
#include <vector>

#include "messages/values/rows.hpp"
#include "messages/values/signer_set.hpp"

namespace soma::consensus {

inline constexpr std::uint32_t total_power = 10'000;  // of every committee: protocol §5
inline constexpr std::uint32_t quorum = 6'667;
inline constexpr std::uint32_t tolerated_power = total_power - quorum;  // may be Byzantine
inline constexpr std::size_t max_seats = 100;
static_assert(2 * quorum - total_power > tolerated_power, "two quorums share an honest voter");

/// Whether members of so much power together speak for the committee.
[[nodiscard]] bool is_quorum(std::uint32_t power);

class committee {
 public:
  committee() = default;
  /// Powers sum to total_power, each at least 1; at most max_seats, all asserted. `leader_seed` is
  /// the id of the block that closed the epoch before the last, or the chain's own id before there
  /// is one.
  committee(const chain_id& chain, epoch_number epoch, std::vector<committee_seat> seats,
            const hash256& leader_seed);

  [[nodiscard]] epoch_number epoch() const { return epoch_; }
  [[nodiscard]] const std::vector<committee_seat>& seats() const { return seats_; }
  [[nodiscard]] std::size_t size() const { return seats_.size(); }
  [[nodiscard]] std::uint32_t power_of(std::uint16_t seat) const { return seats_[seat].power; }
  [[nodiscard]] std::uint32_t power_of(const signer_set& signers) const;
  [[nodiscard]] std::optional<std::uint16_t> seat_of(const public_key& key) const;
  [[nodiscard]] const public_key& key_of(std::uint16_t seat) const {
    return seats_[seat].consensus_key;
  }
  [[nodiscard]] const hash256& leader_seed() const { return leader_seed_; }
  /// The member in whose interval of cumulative power lies u64(H("SX1/lead", chain || epoch ||
  /// leader seed || view)), scaled to the whole power.
  [[nodiscard]] std::uint16_t leader(std::uint64_t view) const;

 private:
  chain_id chain_;
  epoch_number epoch_;
  std::vector<committee_seat> seats_;
  hash256 leader_seed_;
};

}  // namespace soma::consensus
