#include "actors/rules/voting_power.hpp"

#include <algorithm>

#include "actors/rules/arithmetic.hpp"
#include "messages/values/assert.hpp"

namespace soma::rules {
namespace {

wide_uint sum_of(std::span<const power_share> members) {
  wide_uint sum = 0;
  for (const auto& m : members) sum += m.stake.value;
  return sum;
}

/// Whether the next unit of power goes to `a` rather than to `b`, which stands before it.
bool is_next(const power_share& a, const power_share& b) {
  return static_cast<wide_uint>(a.stake.value) * (b.power.value + 1) >
         static_cast<wide_uint>(b.stake.value) * (a.power.value + 1);
}

/// Divides all of the power by stake alone. By largest remainders a stake could gain by being split
/// into parts whose remainders are just larger than those of others; by highest averages it cannot.
void divide_by_stake(std::vector<power_share>& members, wide_uint stake) {
  std::uint64_t left = total_power.value;
  for (auto& m : members) {
    const auto share = static_cast<wide_uint>(m.stake.value) * total_power.value / stake;
    m.power = {static_cast<std::uint32_t>(share)};
    left -= m.power.value;
  }
  SOMA_ASSERT(left < members.size(), "floors leave less than a unit for each member");
  for (; left > 0; --left) {
    auto* next = &members.front();
    for (auto& m : members) {
      if (is_next(m, *next)) next = &m;
    }
    ++next->power.value;
  }
}

/// Divides an amount by limits of which no part exceeds its own: floors, and the units that remain
/// one each, in order, to those with room.
std::vector<std::uint64_t> divide_within(std::uint64_t amount,
                                         std::span<const std::uint64_t> limits) {
  std::uint64_t all = 0;
  for (const auto limit : limits) all += limit;
  SOMA_ASSERT(amount <= all, "the limits have room for what is divided");
  std::vector<std::uint64_t> parts(limits.size());
  if (amount == 0) return parts;
  std::uint64_t left = amount;
  for (std::size_t i = 0; i < limits.size(); ++i)
    left -= parts[i] = share_of(amount, limits[i], all);
  for (std::size_t i = 0; i < limits.size() && left > 0; ++i) {
    if (parts[i] == limits[i]) continue;
    ++parts[i];
    --left;
  }
  SOMA_ASSERT(left == 0, "those whose part was rounded down have room for a unit");
  return parts;
}

/// Moves what powers have above the cap to the members below it.
void level(std::vector<power_share>& members, wide_uint stake, std::uint64_t cap) {
  std::vector<std::uint64_t> above, room;
  std::uint64_t all_above = 0, all_room = 0;
  for (const auto& m : members) {
    const std::uint64_t power = m.power.value;
    const auto lifted = static_cast<std::uint64_t>(static_cast<wide_uint>(m.stake.value) *
                                                   total_power.value * 5 / (stake * 4));
    SOMA_ASSERT(power <= lifted, "power by stake alone is within five quarters of it");
    above.push_back(power > cap ? power - cap : 0);
    room.push_back(power < cap ? std::min(cap, lifted) - power : 0);
    all_above += above.back();
    all_room += room.back();
  }
  const auto moved = std::min(all_above, all_room);
  const auto taken = divide_within(moved, above);
  const auto given = divide_within(moved, room);
  for (std::size_t i = 0; i < members.size(); ++i) {
    members[i].power.value += static_cast<std::uint32_t>(given[i]);
    members[i].power.value -= static_cast<std::uint32_t>(taken[i]);
  }
}

}  // namespace

void assign_power(std::vector<power_share>& members, voting_power max_power) {
  std::sort(members.begin(), members.end(),
            [](const auto& a, const auto& b) { return a.member < b.member; });
  for (auto& m : members) m.power = {};
  const wide_uint stake = sum_of(members);
  if (stake == 0) return;
  divide_by_stake(members, stake);
  if (max_power < total_power) level(members, stake, max_power.value);
  voting_power sum;
  for (const auto& m : members) {
    SOMA_ASSERT(m.stake.value > 0 || m.power.value == 0, "without stake there is no power");
    sum += m.power;
  }
  SOMA_ASSERT(sum == total_power, "all of the power is given out");
}

}  // namespace soma::rules
