// How stake becomes voting power, protocol §5.4.
#pragma once

#include <span>
#include <vector>

#include "messages/values/amounts.hpp"
#include "messages/values/ids.hpp"

namespace soma::rules {

struct power_share {
  address member;
  shannons stake;
  voting_power power;
  friend bool operator==(const power_share&, const power_share&) = default;
};

/// No member has more than this: max(1000, ceil(10000 / n)).
[[nodiscard]] voting_power power_cap(std::size_t members);

/// Sets the powers so that they sum to 10,000: proportional to stake, no member above the cap; what
/// is cut off goes to the members below it, by stake, and the last units one each in address order.
/// Members without stake get no power; without any stake all powers are zero. Sorts by address.
void assign_power(std::vector<power_share>& members);

}  // namespace soma::rules
