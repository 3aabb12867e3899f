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

/// Sets the powers so that they sum to 10,000: floor(10^4 * stake / all stake) for each member, and
/// each unit that remains to the largest stake / (power + 1), ties to the lower address. However a
/// stake is split among members, together they have less than its share of 10^4 + n units. Members
/// without stake get no power; without any stake all powers are zero. Sorts by address.
///
/// `max_power` is the cap of the genesis, 10,000 for none: what powers have above it goes to the
/// other members, none of which is lifted above five quarters of its share of the stake. What finds
/// no room there stays where it was. Protocol §5.4.1.
void assign_power(std::vector<power_share>& members, voting_power max_power);

}  // namespace soma::rules
