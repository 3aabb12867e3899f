#include "actors/consensus/committee.hpp"

#include <utility>

#include "messages/crypto/hash.hpp"
#include "messages/values/seat_draw.hpp"

namespace soma::consensus {

bool is_quorum(voting_power power) {
  return power >= quorum;
}

committee::committee(const chain_id& chain, epoch_number epoch, std::vector<committee_seat> seats,
                     const hash256& leader_seed)
    : chain_(chain), epoch_(epoch), seats_(std::move(seats)), leader_seed_(leader_seed) {
  SOMA_ASSERT(!seats_.empty() && seats_.size() <= max_seats, "a committee has 1 to 100 seats");
  voting_power sum;
  for (const auto& seat : seats_) {
    SOMA_ASSERT(seat.power.value >= 1, "a seat without power is no seat");
    sum += seat.power;
  }
  SOMA_ASSERT(sum == total_power, "the powers of a committee sum to the whole");
}

voting_power committee::power_of(const signer_set& signers) const {
  voting_power sum;
  for (std::uint16_t i = 0; i < seats_.size(); ++i) {
    if (signers.has({i})) sum += seats_[i].power;
  }
  return sum;
}

std::optional<seat_index> committee::seat_of(const public_key& key) const {
  for (std::uint16_t i = 0; i < seats_.size(); ++i) {
    if (seats_[i].consensus_key == key) return seat_index{i};
  }
  return std::nullopt;
}

seat_index committee::leader(view_number view) const {
  const hash256 drawn = crypto::tagged_hash("SX1/lead")
                            .add(chain_)
                            .add_u64(epoch_.value)
                            .add(leader_seed_)
                            .add_u64(view.value)
                            .finish();
  return seat_of_draw(seats_, drawn);
}

}  // namespace soma::consensus
