// Finds out whether the simulated network notices that a rule of agreement is broken. A mutant is a
// core with one broken rule (tests/mutants/agreement.txt), with which tests/mutants/run_agreement
// links this code. The mutant goes through the runs of drawn plans, or through a story of its own
// where chance would need too long.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace soma::simulation::testing {

struct mutant_fate {
  bool killed = false;
  std::uint64_t seed = 0;       // of the last run; 0 for a story
  std::uint32_t intensity = 0;  // of the plan of that seed
  std::string by;               // the violation, "assertion", "crash" or "noticed"
};

/// Runs the seeds from first to last until one notices. It does so in a process of its own, since
/// an assertion in the broken core ends the process.
[[nodiscard]] mutant_fate fate_of_seeds(std::uint64_t first, std::uint64_t last);
/// The intensity for a seed: 1, 2 and 3 take turns.
[[nodiscard]] std::uint32_t intensity_of(std::uint64_t seed);
/// Runs the story that has to notice this mutant, also in a process of its own.
[[nodiscard]] mutant_fate fate_of_story(std::string_view mutant);
/// One mutant for each story. Several mutants may have the same story.
[[nodiscard]] std::vector<std::string_view> mutants_of_all_stories();

}  // namespace soma::simulation::testing
