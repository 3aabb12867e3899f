// Where randomness comes from. Everything that needs some takes a random_source, so that a seed can
// own a whole network.
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
  /// Evenly from [0, bound), bound > 0.
  [[nodiscard]] std::uint64_t below(std::uint64_t bound);
  /// A hash, key or salt: anything with a std::array of bytes as its value.
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

/// The operating system's. Throws crypto::failure if there is none.
class system_random final : public random_source {
 public:
  void fill(std::span<std::uint8_t> out) override;
};

/// Block i is H("soma.random", seed || i): the same bytes on every machine, in whatever pieces they
/// are drawn.
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
