#include "actors/simulation/fault_plan.hpp"

#include <algorithm>
#include <numeric>

#include "messages/values/assert.hpp"

namespace soma::simulation {

node_set byzantine_nodes(const fault_plan& p) {
  node_set out = 0;
  for (std::size_t i = 0; i < p.nodes.size(); ++i) {
    if (p.nodes[i].behaviours != 0) out |= node_set{1} << i;
  }
  return out;
}

bool is_far_jump(const fault& f) {
  const auto ms = static_cast<std::int64_t>(f.amount);
  return f.kind == fault_kind::clock_jump && (ms > near_clock_ms || ms < -near_clock_ms);
}

std::uint32_t frail_identities(const fault_plan& p) {
  auto nodes = byzantine_nodes(p);
  for (const auto& f : p.faults) {
    if (f.kind == fault_kind::lose_record || f.kind == fault_kind::lose_everything ||
        f.kind == fault_kind::lose_ledger || f.kind == fault_kind::bad_executor || is_far_jump(f)) {
      nodes |= f.nodes;
    }
  }
  std::uint32_t identities = 0;
  for (std::size_t i = 0; i < p.nodes.size(); ++i) {
    const auto off = p.nodes[i].clock_offset_ms;
    const auto far_off = off > near_clock_ms || off < -near_clock_ms;
    if ((nodes >> i & 1) != 0 || far_off) identities |= std::uint32_t{1} << p.nodes[i].identity;
  }
  return identities;
}

std::vector<std::uint32_t> powers_of(const std::vector<std::uint32_t>& weights,
                                     std::uint32_t total) {
  SOMA_ASSERT(!weights.empty() && weights.size() <= total, "each gets at least 1");
  const auto sum = std::accumulate(weights.begin(), weights.end(), std::uint64_t{0});
  const auto spare = total - static_cast<std::uint32_t>(weights.size());
  std::vector<std::uint32_t> powers;
  std::uint32_t given = 0;
  for (const auto w : weights) {
    powers.push_back(1 + static_cast<std::uint32_t>(sum == 0 ? 0 : spare * std::uint64_t{w} / sum));
    given += powers.back();
  }
  for (std::size_t i = 0; given < total; i = (i + 1) % powers.size()) {
    ++powers[i];
    ++given;
  }
  return powers;
}

fault_plan quiet_plan(std::uint64_t seed, std::size_t size, std::size_t spare) {
  fault_plan p;
  p.seed = seed;
  for (std::size_t i = 0; i < size + spare; ++i) {
    p.nodes.push_back({static_cast<std::uint16_t>(i), 0, 0, 0});
  }
  committee_plan seats;
  const auto powers = powers_of(std::vector<std::uint32_t>(size, 1));
  for (std::size_t i = 0; i < size; ++i) {
    seats.push_back({static_cast<std::uint16_t>(i), 0, powers[i]});
  }
  p.committees.push_back(std::move(seats));
  p.heal_ms = 5'000;
  return p;
}

}  // namespace soma::simulation
