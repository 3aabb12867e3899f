// Whether the checkers see that a rule is broken: each mutation of the core is run through drawn
// networks, or through a story of its own where chance needs too long, until something notices.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "actors/consensus/mutation.hpp"

namespace soma::agreement_world::testing {

struct mutant_fate {
  bool killed = false;
  std::uint64_t seed = 0;       // 0: a story noticed
  std::uint32_t intensity = 0;  // of that seed's plan
  std::string by;               // the violation, "assertion" or "story"
  std::uint64_t seeds = 0;      // that were run
};

/// Seeds first to last, in a process of its own: an assertion in the broken core ends only that.
[[nodiscard]] mutant_fate fate_of(consensus::mutation broken, std::uint64_t first,
                                  std::uint64_t last);
/// Plans of all intensities in which something breaks take turns.
[[nodiscard]] std::uint32_t intensity_of(std::uint64_t seed);

}  // namespace soma::agreement_world::testing
