// Randomness of the simulated network. Every compiler gives the same numbers. All of them follow
// from the seed of the run. Each part of the simulation draws from a stream of its own, so that one
// more draw in one part does not change the draws of another.
#pragma once

#include <cstdint>

#include "messages/values/splitmix64.hpp"

namespace soma::simulation {

[[nodiscard]] constexpr std::uint64_t mix(std::uint64_t x) {
  return splitmix64::first(x);
}
[[nodiscard]] constexpr std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  return mix(mix(a) + b);
}
[[nodiscard]] constexpr std::uint64_t mix(std::uint64_t a, std::uint64_t b, std::uint64_t c) {
  return mix(mix(a, b) + c);
}

class random_stream {
 public:
  constexpr random_stream(std::uint64_t seed, std::uint64_t stream) : state_(mix(seed, stream)) {}

  [[nodiscard]] constexpr std::uint64_t next() { return mix(state_++); }
  /// A number in [0, bound); 0 for bound 0. The multiplication has a small bias, which does no harm
  /// here.
  [[nodiscard]] constexpr std::uint64_t below(std::uint64_t bound) {
    return static_cast<std::uint64_t>((static_cast<unsigned __int128>(next()) * bound) >> 64);
  }
  /// A number in [low, high].
  [[nodiscard]] constexpr std::uint64_t between(std::uint64_t low, std::uint64_t high) {
    return high <= low ? low : low + below(high - low + 1);
  }
  [[nodiscard]] constexpr bool chance(std::uint64_t permille) {
    return permille != 0 && below(1000) < permille;
  }
  /// A random subset of the lowest `bits` bits.
  [[nodiscard]] constexpr std::uint32_t subset(std::uint32_t bits) {
    return static_cast<std::uint32_t>(next()) & ((std::uint32_t{1} << bits) - 1);
  }

 private:
  std::uint64_t state_;
};

}  // namespace soma::simulation
