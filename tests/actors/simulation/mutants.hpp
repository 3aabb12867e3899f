// Whether the simulated network notices that a rule of agreement is broken. A mutant is a core with
// one broken rule (tests/mutants/agreement.txt); tests/mutants/run_agreement links it with this. It
// is run through drawn networks, or through a story of its own where chance needs too long.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace soma::simulation::testing {

struct mutant_fate {
  bool killed = false;
  std::uint64_t seed = 0;       // the last one that was run; 0: it was a story
  std::uint32_t intensity = 0;  // of that seed's plan
  std::string by;               // the violation, "assertion", "crash" or "noticed"
};

/// Seeds first to last, until one notices. In a process of its own: an assertion in the broken core
/// ends only that.
[[nodiscard]] mutant_fate fate_of_seeds(std::uint64_t first, std::uint64_t last);
/// Plans of all intensities in which something breaks take turns.
[[nodiscard]] std::uint32_t intensity_of(std::uint64_t seed);
/// The story that has to notice this mutant. In a process of its own, too.
[[nodiscard]] mutant_fate fate_of_story(std::string_view mutant);
[[nodiscard]] std::vector<std::string_view> mutants_with_a_story();

}  // namespace soma::simulation::testing
