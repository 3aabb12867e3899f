// Protocol §5: how stake becomes voting power.
#pragma once

#include <span>
#include <vector>

#include "messages/types/amounts.hpp"
#include "messages/types/ids.hpp"

namespace soma::rules {

struct power_share {
  address member;
  shannons stake;
  std::uint32_t power = 0;
  friend bool operator==(const power_share&, const power_share&) = default;
};

/// No member has more than this: max(1000, ceil(10000 / n)).
[[nodiscard]] std::uint32_t power_cap(std::size_t members);

/// Sets the powers so that they sum to 10,000: proportional to stake, nobody above the cap, what is
/// cut off goes to those below it by stake, last units one each in address order. Members without
/// stake get none; all powers are zero when nobody has stake. Sorts by address.
void assign_power(std::vector<power_share>& members);

}  // namespace soma::rules
