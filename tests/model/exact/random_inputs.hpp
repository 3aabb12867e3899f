// Data and architectures that a seed draws, for tests of the engine.
#pragma once

#include "messages/values/architecture.hpp"
#include "messages/values/bytes.hpp"
#include "model/noise/noise.hpp"

namespace soma::test {

inline bytes random_bytes(std::uint64_t seed, std::size_t size) {
  noise::noise_generator random(seed);
  bytes data(size);
  for (auto& byte : data) byte = static_cast<std::uint8_t>(random.below(256));
  return data;
}

inline model_architecture random_architecture(noise::noise_generator& random) {
  model_architecture arch;
  arch.layers = 1 + static_cast<std::uint32_t>(random.below(3));
  arch.heads = 1 + static_cast<std::uint32_t>(random.below(3));
  arch.dim = arch.heads * 2 * (1 + static_cast<std::uint32_t>(random.below(10)));
  arch.ffn = 1 + static_cast<std::uint32_t>(random.below(60));
  arch.max_seq = 2 + static_cast<std::uint32_t>(random.below(70));
  return arch;
}

}  // namespace soma::test
