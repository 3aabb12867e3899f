// Prints one hash over all events of several simulated networks. The programs of all compilers have
// to print the same one.
//   agreement_hash [SEEDS]
#include <cstdio>
#include <cstdlib>

#include "actors/simulation/random.hpp"
#include "actors/simulation/simulated_network.hpp"

int main(int count, char** words) {
  using namespace soma::simulation;
  const std::uint64_t seeds = count > 1 ? std::strtoull(words[1], nullptr, 10) : 200;
  std::uint64_t all = 0;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    all = mix(all, run(draw_plan(seed, static_cast<std::uint32_t>(seed % 4))).trace_hash);
  }
  std::printf("%016llx\n", static_cast<unsigned long long>(all));
}
