// The source of everything random in the tests of the rules. One seed determines it.
#pragma once

#include <cstdint>

#include "messages/values/ids.hpp"
#include "messages/values/splitmix64.hpp"

namespace soma::test {

struct dice : splitmix64 {
  using splitmix64::splitmix64;
  std::uint64_t below(std::uint64_t n) { return next() % n; }
  bool chance(std::uint64_t percent) { return below(100) < percent; }
};

/// 32 bytes that depend on a number alone.
template <class Id = hash256>
Id id_from(std::uint64_t number) {
  dice d{number};
  Id id;
  for (std::size_t i = 0; i < 32; i += 8) {
    const std::uint64_t word = d.next();
    for (std::size_t b = 0; b < 8; ++b)
      id.value[i + b] = static_cast<std::uint8_t>(word >> (8 * b));
  }
  return id;
}

}  // namespace soma::test
