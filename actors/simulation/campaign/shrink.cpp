#include <algorithm>

#include "actors/simulation/campaign/campaign.hpp"

namespace soma::campaign {
namespace {

/// The mask without the bit of this node; the bits above it move down by one.
simulation::node_set mask_without(simulation::node_set mask, std::uint32_t node_index) {
  const simulation::node_set below = mask & ((simulation::node_set{1} << node_index) - 1);
  return below | (mask >> (node_index + 1)) << node_index;
}

/// The plan without one node; nullopt when a committee would have no member left.
std::optional<simulation::fault_plan> without_node(const simulation::fault_plan& p,
                                                   std::uint32_t node_index) {
  simulation::fault_plan out = p;
  const auto identity = out.nodes[node_index].identity;
  out.nodes.erase(out.nodes.begin() + node_index);
  for (auto& f : out.faults) {
    f.nodes = mask_without(f.nodes, node_index);
    f.others = mask_without(f.others, node_index);
  }
  if (std::ranges::any_of(out.nodes, [&](const auto& s) { return s.identity == identity; })) {
    return out;
  }
  for (auto& seats : out.committees) {
    std::erase_if(seats, [&](const auto& seat) { return seat.identity == identity; });
    if (seats.empty()) return std::nullopt;
    std::vector<std::uint32_t> weights;
    for (const auto& seat : seats) weights.push_back(seat.power);
    const auto powers = simulation::powers_of(weights);
    for (std::size_t i = 0; i < seats.size(); ++i) seats[i].power = powers[i];
  }
  return out;
}

class shrinker {
 public:
  shrinker(const simulation::fault_plan& p, const simulation::run_options& options,
           std::uint64_t max_runs)
      : best_{p, simulation::run(p, options), 1}, options_(options), max_runs_(max_runs) {
    SOMA_ASSERT(!best_.run.ok, "only a plan with a violation can be shrunk");
    invariant_ = invariant_of(best_.run.violation);
    stays_tolerable_ = is_tolerable(p);
  }

  shrunk_plan all() {
    for (bool smaller = true; smaller && !spent();) {
      smaller = drop_faults();
      smaller |= calm_nodes();
      smaller |= drop_nodes();
      smaller |= calm_rates();
      smaller |= shorten();
    }
    return std::move(best_);
  }

 private:
  [[nodiscard]] bool spent() const { return best_.runs >= max_runs_; }

  /// Runs the candidate and keeps it when it still violates the same invariant.
  bool attempt(simulation::fault_plan candidate) {
    if (spent() || (stays_tolerable_ && !is_tolerable(candidate))) return false;
    best_.runs += 1;
    auto seen = simulation::run(candidate, options_);
    if (seen.ok || invariant_of(seen.violation) != invariant_) return false;
    best_.smallest = std::move(candidate);
    best_.run = std::move(seen);
    return true;
  }
  template <class Change>
  bool attempt_with(const Change& change) {
    simulation::fault_plan candidate = best_.smallest;
    change(candidate);
    return attempt(std::move(candidate));
  }

  /// Tries to drop halves of the list, then quarters, and so on down to single faults.
  bool drop_faults() {
    bool any = false;
    for (std::size_t length = best_.smallest.faults.size(); length > 0; length /= 2) {
      for (std::size_t at = 0; at < best_.smallest.faults.size();) {
        const auto end = std::min(at + length, best_.smallest.faults.size());
        const bool gone = attempt_with([&](simulation::fault_plan& p) {
          p.faults.erase(p.faults.begin() + static_cast<std::ptrdiff_t>(at),
                         p.faults.begin() + static_cast<std::ptrdiff_t>(end));
        });
        if (!gone) at = end;
        any |= gone;
      }
    }
    return any;
  }
  bool calm_nodes() {
    bool any = false;
    for (std::size_t i = 0; i < best_.smallest.nodes.size(); ++i) {
      for (std::size_t b = 0; b < simulation::behaviour_kinds; ++b) {
        const std::uint32_t bit = std::uint32_t{1} << b;
        if ((best_.smallest.nodes[i].behaviours & bit) == 0) continue;
        if (bit == static_cast<std::uint32_t>(simulation::behaviour::twin))
          continue;  // drop_nodes drops twins
        any |= attempt_with([&](simulation::fault_plan& p) { p.nodes[i].behaviours &= ~bit; });
      }
      if (best_.smallest.nodes[i].clock_offset_ms != 0) {
        any |= attempt_with([&](simulation::fault_plan& p) { p.nodes[i].clock_offset_ms = 0; });
      }
      if (best_.smallest.nodes[i].start_ms != 0) {
        any |= attempt_with([&](simulation::fault_plan& p) { p.nodes[i].start_ms = 0; });
      }
    }
    return any;
  }
  bool drop_nodes() {
    bool any = false;
    for (std::uint32_t i = 0; i < best_.smallest.nodes.size() && best_.smallest.nodes.size() > 1;) {
      auto fewer = without_node(best_.smallest, i);
      const bool gone = fewer && attempt(std::move(*fewer));
      if (!gone) ++i;
      any |= gone;
    }
    return any;
  }
  bool calm_rates() {
    bool any = false;
    const auto zero = [&](auto member_of) {
      if (member_of(best_.smallest) == 0) return;
      any |= attempt_with([&](simulation::fault_plan& p) { member_of(p) = 0; });
    };
    zero([](auto& p) -> auto& { return p.transactions_per_s; });
    for (const auto rate :
         {&simulation::link_rates::loss_permille, &simulation::link_rates::duplicate_permille,
          &simulation::link_rates::straggler_permille}) {
      zero([&](auto& p) -> auto& { return p.before.*rate; });
      zero([&](auto& p) -> auto& { return p.after.*rate; });
    }
    for (const auto rate : {&simulation::local_rates::crash_before_durable_permille,
                            &simulation::local_rates::crash_before_answer_permille,
                            &simulation::local_rates::crash_in_commit_permille,
                            &simulation::local_rates::execution_fails_permille}) {
      zero([&](auto& p) -> auto& { return p.local.*rate; });
    }
    return any;
  }
  bool shorten() {
    bool any = false;
    while (best_.smallest.committees.size() > 1 &&
           attempt_with([](simulation::fault_plan& p) { p.committees.pop_back(); })) {
      any = true;
    }
    while (best_.smallest.heal_ms > 2'000 &&
           attempt_with([](simulation::fault_plan& p) { p.heal_ms /= 2; }))
      any = true;
    return any;
  }

  shrunk_plan best_;
  simulation::run_options options_;
  std::uint64_t max_runs_;
  std::string invariant_;
  bool stays_tolerable_ = false;
};

}  // namespace

bool is_tolerable(const simulation::fault_plan& p) {
  const auto frail = simulation::frail_identities(p);
  return std::ranges::all_of(p.committees, [&](const simulation::committee_plan& seats) {
    std::uint32_t power = 0;
    for (const auto& seat : seats) power += (frail >> seat.identity & 1) != 0 ? seat.power : 0;
    return power <= consensus::tolerated_power.value;
  });
}

shrunk_plan shrink(const simulation::fault_plan& p, const simulation::run_options& options,
                   std::uint64_t max_runs) {
  return shrinker(p, options, max_runs).all();
}

}  // namespace soma::campaign
