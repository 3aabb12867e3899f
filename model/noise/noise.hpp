// Random numbers that a 64-bit seed determines, bit for bit the same on every machine (arithmetic
// §6): ChaCha12 keyed by PCG32, uniform floats, and standard normals by the ziggurat of 256 steps.
// The points of targets, SIGReg's directions and initial weights are drawn with them.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace soma::noise {

/// A stream of random numbers. It is a value: a copy goes on from the same place in the stream.
class noise_generator {
 public:
  explicit noise_generator(std::uint64_t seed);

  [[nodiscard]] const std::array<std::uint32_t, 8>& key() const { return key_; }
  [[nodiscard]] std::uint32_t next_u32();  // arithmetic §6.2
  /// Two 32-bit words: the next word is the low half, the word after it the high half.
  [[nodiscard]] std::uint64_t next_u64();
  /// A uniform value in [low, high), with 23 random bits. Arithmetic §6.3.
  [[nodiscard]] float uniform(float low, float high);
  /// A uniform integer in [0, bound) for bound >= 1, without bias (Lemire's multiply and reject).
  /// Arithmetic §6.4.
  [[nodiscard]] std::uint64_t below(std::uint64_t bound);
  /// A standard normal in binary64. Arithmetic §6.5.
  [[nodiscard]] double normal();

 private:
  void refill();
  [[nodiscard]] double open_unit();  // in (0, 1)
  [[nodiscard]] double tail(bool negative);

  std::array<std::uint32_t, 8> key_{};
  std::array<std::uint32_t, 16> block_{};
  std::uint64_t counter_ = 0;
  unsigned used_ = 16;  // words of the block that are used up
};

/// `count` values mean + deviation * z, where z are standard normals rounded to binary32.
/// Arithmetic §6.6.
[[nodiscard]] std::vector<float> normals(std::uint64_t seed, std::size_t count, float mean = 0,
                                         float deviation = 1);
/// `count` uniform values in [low, high).
[[nodiscard]] std::vector<float> uniforms(std::uint64_t seed, std::size_t count, float low = 0,
                                          float high = 1);

}  // namespace soma::noise
