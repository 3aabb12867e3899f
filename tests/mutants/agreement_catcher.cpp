// Checks that the simulated network notices a consensus core that breaks a rule. The build links
// this program with the correct core; tests/mutants/run_agreement links it with a broken one.
//   agreement_catcher MUTANT [seeds A..B] [story] [scenarios]
// Ends with 0 when each of the ways that are given noticed. A line for each says how.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <charconv>
#include <cstdio>
#include <optional>
#include <sstream>

#include "tests/actors/simulation/mutants.hpp"
#include "tests/actors/simulation/scenario_support.hpp"

namespace {

using namespace soma::simulation::testing;

struct seed_range {
  std::uint64_t first = 0, last = 0;
};

std::optional<seed_range> read_range(std::string_view text) {
  seed_range range;
  const auto dots = text.find("..");
  if (dots == std::string_view::npos) return std::nullopt;
  const auto* const end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), text.data() + dots, range.first);
  const auto last = std::from_chars(text.data() + dots + 2, end, range.last);
  if (first.ec != std::errc{} || last.ec != std::errc{} || last.ptr != end) return std::nullopt;
  if (range.first == 0 || range.last < range.first) return std::nullopt;
  return range;
}

bool print(const char* way, const mutant_fate& fate) {
  const auto by = fate.by.substr(0, fate.by.find(';'));
  if (!fate.killed) {
    std::printf("%s: NOT NOTICED\n", way);
  } else if (fate.seed == 0) {
    std::printf("%s: %s\n", way, by.c_str());
  } else {
    std::printf("%s: seed %llu, intensity %u: %s\n", way,
                static_cast<unsigned long long>(fate.seed), fate.intensity, by.c_str());
  }
  return fate.killed;
}

/// The scenarios are those of the test programs. Each of them names the mutants that it has to
/// notice.
bool run_scenarios() {
  std::ostringstream nowhere;
  doctest::Context context;
  context.setCout(&nowhere);
  context.run();  // its own result is about the correct core
  const auto& seen = scenarios_seen();
  std::printf("scenarios: %zu of %zu\n", seen.noticed, seen.asked);
  return seen.asked != 0 && seen.noticed == seen.asked;
}

int usage() {
  std::fputs("agreement_catcher MUTANT [seeds A..B] [story] [scenarios]\n", stderr);
  return 2;
}

}  // namespace

int main(int count, char** words) {
  if (count < 3) return usage();
  set_mutant(words[1]);
  bool all_noticed = true;
  for (int i = 2; i < count; ++i) {
    const std::string_view way = words[i];
    if (way == "story") {
      all_noticed &= print("story", fate_of_story(words[1]));
    } else if (way == "scenarios") {
      all_noticed &= run_scenarios();
    } else if (way == "seeds" && i + 1 < count) {
      const auto range = read_range(words[++i]);
      if (!range) return usage();
      all_noticed &= print("seeds", fate_of_seeds(range->first, range->last));
    } else {
      return usage();
    }
    std::fflush(stdout);
  }
  return all_noticed ? 0 : 1;
}
