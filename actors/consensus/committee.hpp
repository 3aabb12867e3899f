// The committee of one epoch: which keys may vote, with what power, and which one leads a view.
#pragma once

#include <optional>
#include <vector>

#include "messages/values/rows.hpp"
#include "messages/values/signer_set.hpp"

namespace soma::consensus {

inline constexpr voting_power quorum{6'667};
inline constexpr voting_power tolerated_power = total_power - quorum;  // may be Byzantine
inline constexpr std::size_t max_seats = 100;
static_assert(quorum + quorum - total_power > tolerated_power, "two quorums share an honest voter");

/// Whether members with this power together are a quorum of the committee.
[[nodiscard]] bool is_quorum(voting_power power);

class committee {
 public:
  committee() = default;
  /// Asserts that there are at most max_seats seats, that each power is at least 1 and that all
  /// powers sum to total_power. `leader_seed` is the entropy after the block that closed epoch - 2,
  /// or the chain's id if there is none.
  committee(const chain_id& chain, epoch_number epoch, std::vector<committee_seat> seats,
            const hash256& leader_seed);

  [[nodiscard]] epoch_number epoch() const { return epoch_; }
  [[nodiscard]] const std::vector<committee_seat>& seats() const { return seats_; }
  [[nodiscard]] std::size_t size() const { return seats_.size(); }
  [[nodiscard]] bool has(seat_index seat) const { return seat.value < seats_.size(); }
  [[nodiscard]] voting_power power_of(seat_index seat) const { return seats_[seat.value].power; }
  [[nodiscard]] voting_power power_of(const signer_set& signers) const;
  [[nodiscard]] std::optional<seat_index> seat_of(const public_key& key) const;
  [[nodiscard]] const public_key& key_of(seat_index seat) const {
    return seats_[seat.value].consensus_key;
  }
  [[nodiscard]] const hash256& leader_seed() const { return leader_seed_; }
  /// The leader of a view, drawn by power: u64(H("SX1/lead", chain || epoch || leader seed ||
  /// view)), scaled to total_power, falls into the leader's interval when the powers stand one
  /// after the other in the order of seats.
  [[nodiscard]] seat_index leader(view_number view) const;

 private:
  chain_id chain_;
  epoch_number epoch_;
  std::vector<committee_seat> seats_;
  hash256 leader_seed_;
};

}  // namespace soma::consensus
