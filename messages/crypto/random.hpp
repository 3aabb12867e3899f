// The sources of randomness. Everything that needs randomness takes a random_source, so that one
// seed can determine a whole network.
#pragma once

#include <cstdint>
#include <span>

#include "messages/values/bytes.hpp"

namespace soma::crypto {

class random_source {
 public:
  virtual ~random_source() = default;
  virtual void fill(std::span<std::uint8_t> out) = 0;

  [[nodiscard]] std::uint64_t next_u64();
  /// A number evenly distributed over [0, bound), with bound > 0.
  [[nodiscard]] std::uint64_t below(std::uint64_t bound);
  /// Draws a hash, key or salt: any type whose value is a std::array of bytes.
  template <class Id>
  [[nodiscard]] Id next_id() {
    Id id;
    fill(id.value);
    return id;
  }

 protected:
  random_source() = default;
  random_source(const random_source&) = default;
  random_source& operator=(const random_source&) = default;
};

/// The randomness of the operating system. Throws crypto::failure if there is none.
class system_random final : public random_source {
 public:
  void fill(std::span<std::uint8_t> out) override;
};

/// Block i is H("soma.random", seed || i): the bytes are the same on every machine, whatever the
/// sizes of the pieces in which they are drawn.
class seeded_random final : public random_source {
 public:
  explicit seeded_random(std::uint64_t seed) : seed_(seed) {}
  void fill(std::span<std::uint8_t> out) override;

 private:
  std::uint64_t seed_;
  std::uint64_t next_block_ = 0;
  std::uint8_t block_[32]{};
  std::size_t left_ = 0;
};

}  // namespace soma::crypto
