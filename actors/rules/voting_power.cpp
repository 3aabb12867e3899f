#include "actors/rules/voting_power.hpp"

#include <algorithm>

#include "actors/rules/arithmetic.hpp"
#include "messages/values/assert.hpp"

namespace soma::rules {

voting_power power_cap(std::size_t members) {
  if (members == 0) return total_power;
  const auto fair_share = (total_power.value + members - 1) / members;
  return {static_cast<std::uint32_t>(std::max<std::uint64_t>(1'000, fair_share))};
}

void assign_power(std::vector<power_share>& members) {
  std::sort(members.begin(), members.end(),
            [](const auto& a, const auto& b) { return a.member < b.member; });
  std::vector<power_share*> below;
  for (auto& m : members) {
    m.power = {};
    if (m.stake.value > 0) below.push_back(&m);
  }
  if (below.empty()) return;
  const std::uint64_t cap = power_cap(below.size()).value;
  std::uint64_t left = total_power.value;
  wide_uint stake = 0;
  for (const auto* m : below) stake += m->stake.value;

  // Members that would exceed the cap get the cap, until what is left can be divided among the
  // others without exceeding it.
  for (bool found = true; found && !below.empty();) {
    found = false;
    const wide_uint round_stake = stake;
    const std::uint64_t round_left = left;
    std::erase_if(below, [&](power_share* m) {
      if (static_cast<wide_uint>(m->stake.value) * round_left <= round_stake * cap) return false;
      m->power = {static_cast<std::uint32_t>(cap)};
      left -= cap;
      stake -= m->stake.value;
      return found = true;
    });
  }
  const std::uint64_t to_divide = left;
  for (auto* m : below) {
    const auto share = static_cast<wide_uint>(m->stake.value) * to_divide / stake;
    m->power = {static_cast<std::uint32_t>(share)};
    left -= m->power.value;
  }
  while (left > 0) {
    bool given = false;
    for (auto& m : members) {
      if (left == 0 || m.stake.value == 0 || m.power.value >= cap) continue;
      ++m.power.value;
      --left;
      given = true;
    }
    SOMA_ASSERT(given, "the cap leaves room for all of the power");
  }
  voting_power sum;
  for (const auto& m : members) {
    SOMA_ASSERT(m.power.value <= cap, "no member has more power than the cap");
    sum += m.power;
  }
  SOMA_ASSERT(sum == total_power, "all of the power is given out");
}

}  // namespace soma::rules
