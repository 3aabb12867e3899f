// splitmix64 (Steele, Lea and Flood, 2014): 64 random bits from one addition and one mixing step.
// Every compiler gives the same numbers, so that a seed repeats a run. An adversary can predict the
// numbers; keys, salts and everything else that must stay unknown come from
// messages/crypto/random.hpp.
#pragma once

#include <cstdint>

namespace soma::inline values {

/// A value: copying it forks the stream at its present place.
class splitmix64 {
 public:
  /// The state grows by this much for each number.
  static constexpr std::uint64_t increment = 0x9e3779b97f4a7c15;

  constexpr explicit splitmix64(std::uint64_t seed) : state_(seed) {}

  /// The first number of the stream that this seed owns. It serves as a mixing function: every bit
  /// of the seed changes about half of the bits of the result.
  [[nodiscard]] static constexpr std::uint64_t first(std::uint64_t seed) {
    std::uint64_t z = seed + increment;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

  constexpr std::uint64_t next() {
    const std::uint64_t number = first(state_);
    state_ += increment;
    return number;
  }

 private:
  std::uint64_t state_;
};

}  // namespace soma::inline values
