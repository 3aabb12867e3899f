// A campaign is many runs of the simulated network, one for each seed of a range, on several
// threads. A violation ends the campaign. It is reported with the lowest seed that shows it and
// with the smallest plan found that still shows it. A campaign in which something that it is meant
// to test never happened has failed, too.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/simulation/simulated_network.hpp"

namespace soma::campaign {

struct seed_range {  // both ends included
  std::uint64_t first = 1;
  std::uint64_t last = 1;
  [[nodiscard]] std::uint64_t count() const { return last - first + 1; }
};

/// Which plans a campaign draws.
struct drawing {
  std::uint32_t intensity = 2;  // of draw_plan
  std::uint32_t nodes = 0;      // exactly so many; 0: as many as the seed gives
  bool beyond_tolerance = false;
};
/// The plan of a seed. If a number of nodes is wanted, seeds are derived from this one in a row,
/// and the plan of the first that has so many nodes is taken; nullopt when a thousand seeds have
/// not.
[[nodiscard]] std::optional<simulation::fault_plan> draw(std::uint64_t seed, const drawing& wanted);

struct campaign_options {
  seed_range seeds;
  std::uint32_t threads = 1;
  drawing plans;                    // asserts that every seed has such a plan
  simulation::run_options each;     // asserts no trace: lines of several threads would mix
  bool ends_at_violation = true;    // false: violations are counted, and the first one is kept
  bool shrinks = true;              // makes the plan of the first violation smaller
  std::uint64_t shrink_runs = 300;  // the most runs for that, each with the limit of `each`
};

struct violation_found {
  std::uint64_t seed = 0;
  std::string violation;          // of the seed's own plan
  simulation::fault_plan drawn;   // from the seed
  simulation::fault_plan small;   // equal to `drawn` without shrinking
  simulation::outcome small_run;  // of the small plan
  std::uint64_t shrink_runs = 0;
};

struct campaign_progress {
  std::uint64_t done = 0;
  std::uint64_t total = 0;
  std::uint64_t virtual_ms = 0;
  std::uint64_t events = 0;
  std::uint64_t broken = 0;
};

struct campaign_result {
  std::uint64_t runs = 0;
  std::uint64_t broken = 0;  // runs with a violation
  std::uint64_t events = 0;
  std::uint64_t virtual_ms = 0;
  std::uint64_t blocks = 0;
  std::uint64_t epochs = 0;
  std::uint64_t crashes = 0;
  std::size_t max_held_bytes = 0;
  std::vector<std::uint64_t> recovery_ms;  // of each run without violation, ascending
  simulation::run_counts counts;
  std::map<std::string, std::uint64_t, std::less<>> broken_by;  // runs by invariant
  std::uint64_t trace_hash = 0;  // of all runs; their order does not matter
  bool stopped = false;          // by on_progress
  std::optional<violation_found> found;
};

/// `on_progress` is called after every run, by one thread at a time; false ends the campaign.
[[nodiscard]] campaign_result run_campaign(
    const campaign_options& options,
    const std::function<bool(const campaign_progress&)>& on_progress = {});

/// The seed whose run the calling thread executes for a campaign; 0 outside a run. A signal handler
/// uses it to say in which run an assertion failed.
[[nodiscard]] std::uint64_t seed_of_this_thread() noexcept;

/// After so many seeds each kind of `coverage` can be expected to have happened.
inline constexpr std::uint64_t seeds_for_every_kind = 300;
/// The kinds of coverage that never happened, of those that a campaign of drawn plans has to show.
/// Alarms are left out, since only a node that executes wrongly raises one.
[[nodiscard]] std::vector<simulation::coverage> never_happened(
    const simulation::run_counts& counts);

/// The invariant of a violation: "S1" of "S1: ...". Two violations of the same invariant are one
/// finding.
[[nodiscard]] std::string_view invariant_of(std::string_view violation);

/// Whether the power of Byzantine nodes and of lost disks is tolerated in every committee.
[[nodiscard]] bool is_tolerable(const simulation::fault_plan& p);

struct shrunk_plan {
  simulation::fault_plan smallest;
  simulation::outcome run;  // violates the same invariant
  std::uint64_t runs = 0;
};
/// Leaves out faults, behaviours, rates, nodes and epochs of the plan as long as the same invariant
/// is violated. A plan that was tolerable stays tolerable. Asserts that `p` violates an invariant.
[[nodiscard]] shrunk_plan shrink(const simulation::fault_plan& p,
                                 const simulation::run_options& options, std::uint64_t max_runs);

/// One line of a timeline: "   12.345678  #3  text". "--" stands for the whole network.
[[nodiscard]] std::string to_text(const simulation::trace_line& line);

}  // namespace soma::campaign
