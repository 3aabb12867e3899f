#include "deploy/soma/model/weights_copies.hpp"

#include <algorithm>

#include "actors/rules/arithmetic.hpp"

namespace soma::cli {

void copy_count::update(std::vector<committee_seat> seats, const std::vector<public_key>& holders) {
  seats_ = std::move(seats);
  holders_.insert(holders.begin(), holders.end());
}

std::size_t copy_count::copies() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      seats_, [&](const committee_seat& seat) { return holders_.contains(seat.consensus_key); }));
}

voting_power copy_count::power() const {
  voting_power sum;
  for (const auto& seat : seats_) {
    if (holders_.contains(seat.consensus_key)) sum += seat.power;
  }
  return sum;
}

bool copy_count::is_quorum() const {
  return power() >= rules::quorum_power;
}

std::string copy_count::text() const {
  return std::to_string(copies()) + " of " + std::to_string(members()) +
         (members() == 1 ? " validator has the weights" : " validators have the weights");
}

copies_end wait_for_copies(copy_count& counted, const std::function<copies_seen()>& look,
                           const std::function<bool()>& is_stopped,
                           const std::function<void(const std::string&)>& show) {
  for (;;) {
    auto seen = look();
    const bool can_ask = seen.holders.has_value();
    const bool is_alone = seen.seats.size() == 1;
    counted.update(std::move(seen.seats), seen.holders.value_or(std::vector<public_key>{}));
    if (!can_ask) return is_alone ? copies_end::quorum : copies_end::unknown;
    show(counted.text());
    if (counted.is_quorum()) return copies_end::quorum;
    if (seen.is_late) return copies_end::late;
    if (is_stopped()) return copies_end::stopped;
  }
}

}  // namespace soma::cli
