// Many runs of the simulated network, one after another seed, on several threads. A violation ends
// the campaign and is told by the lowest seed that shows it, with the smallest plan that was found
// to show it still. A campaign that never did what it means to test has failed, too.
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
  std::uint32_t nodes = 0;      // exactly so many; 0: as the seed says
  bool beyond_tolerance = false;
};
/// The plan of a seed. With a number of processes it is that of the first of a row of seeds, made
/// of this one, that has so many; nothing if none of a thousand has.
[[nodiscard]] std::optional<simulation::fault_plan> draw(std::uint64_t seed, const drawing& wanted);

struct campaign_options {
  seed_range seeds;
  std::uint32_t threads = 1;
  drawing plans;                    // some seed has one (asserted)
  simulation::run_options each;     // no trace: lines of several threads would mix
  bool ends_at_violation = true;    // else they are counted, and the first one is kept
  bool shrinks = true;              // the plan of the first violation
  std::uint64_t shrink_runs = 300;  // at most, each up to the events of `each`
};

struct violation_found {
  std::uint64_t seed = 0;
  std::string violation;          // of the seed's own plan
  simulation::fault_plan drawn;   // by the seed
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
  std::map<std::string, std::uint64_t, std::less<>> broken_by;  // invariant -> runs
  std::uint64_t trace_hash = 0;                                 // of all runs, whatever their order
  bool stopped = false;                                         // by on_progress
  std::optional<violation_found> found;
};

/// `on_progress` is called after every run, by one thread at a time; false ends the campaign.
[[nodiscard]] campaign_result run_campaign(
    const campaign_options& options,
    const std::function<bool(const campaign_progress&)>& on_progress = {});

/// The seed that the calling thread runs for a campaign; 0: none. For a handler that has to say
/// where an assertion failed.
[[nodiscard]] std::uint64_t seed_of_this_thread() noexcept;

/// Seeds from which on each kind of `coverage` can be expected to have happened.
inline constexpr std::uint64_t seeds_for_every_kind = 300;
/// Kinds that never happened, of those that a campaign of drawn plans has to show. What only a
/// violation or a handwritten scenario brings is not asked for.
[[nodiscard]] std::vector<simulation::coverage> never_happened(
    const simulation::run_counts& counts);

/// "S1" of "S1: ...": two violations of one invariant are the same finding.
[[nodiscard]] std::string_view invariant_of(std::string_view violation);

/// Whether Byzantine power and lost disks stay within what is tolerated, in every committee.
[[nodiscard]] bool is_tolerable(const simulation::fault_plan& p);

struct shrunk_plan {
  simulation::fault_plan smallest;
  simulation::outcome run;  // violates the same invariant
  std::uint64_t runs = 0;
};
/// Leaves out faults, behaviours, rates, processes and epochs while the same invariant is violated
/// and, if it was so before, the plan stays tolerable. `p` has to violate it (asserted).
[[nodiscard]] shrunk_plan shrink(const simulation::fault_plan& p,
                                 const simulation::run_options& options, std::uint64_t max_runs);

/// "   12.345678  #3  text": one line of a timeline. Lines of the `whole_network` show as "--".
[[nodiscard]] std::string to_text(const simulation::trace_line& line);

}  // namespace soma::campaign
