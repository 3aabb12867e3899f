// Random numbers that a 64-bit seed owns: ChaCha12 keyed by PCG32, uniform floats, standard normals
// by the 256-step ziggurat. Bit for bit the same on every machine: targets, SIGReg's directions and
// initial weights are made of them. Exact arithmetic §6.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace soma::model {

/// A value: copying it forks the stream at its present place.
class noise_generator {
 public:
  explicit noise_generator(std::uint64_t seed);

  [[nodiscard]] const std::array<std::uint32_t, 8>& key() const { return key_; }
  [[nodiscard]] std::uint32_t next_u32();
  /// The next word is the low half, the one after it the high half.
  [[nodiscard]] std::uint64_t next_u64();
  /// In [low, high), 23 random bits.
  [[nodiscard]] float uniform(float low, float high);
  /// In [0, bound); bound >= 1. Unbiased (Lemire's multiply and reject).
  [[nodiscard]] std::uint64_t below(std::uint64_t bound);
  /// A standard normal in binary64.
  [[nodiscard]] double normal();

 private:
  void refill();
  [[nodiscard]] double open01();
  [[nodiscard]] double tail(bool negative);

  std::array<std::uint32_t, 8> key_{};
  std::array<std::uint32_t, 16> block_{};
  std::uint64_t counter_ = 0;
  unsigned used_ = 16;
};

/// `count` values mean + deviation * z, z rounded once to binary32, the rest in binary32
/// operations.
[[nodiscard]] std::vector<float> normals(std::uint64_t seed, std::size_t count, float mean = 0,
                                         float deviation = 1);
/// `count` values in [low, high).
[[nodiscard]] std::vector<float> uniforms(std::uint64_t seed, std::size_t count, float low = 0,
                                          float high = 1);

}  // namespace soma::model
