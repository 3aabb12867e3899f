// The set of the members of a committee that signed: one bit for each member, by its index.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "messages/values/amounts.hpp"
#include "messages/values/assert.hpp"

namespace soma::inline values {

class signer_set {
 public:
  static constexpr std::size_t capacity = 128;

  void add(seat_index seat) {
    SOMA_ASSERT(seat.value < capacity, "a committee has at most 128 seats");
    words_[seat.value / 64] |= std::uint64_t{1} << (seat.value % 64);
  }
  [[nodiscard]] bool has(seat_index seat) const {
    return seat.value < capacity && (words_[seat.value / 64] >> (seat.value % 64) & 1) != 0;
  }
  [[nodiscard]] std::size_t count() const {
    return static_cast<std::size_t>(std::popcount(words_[0]) + std::popcount(words_[1]));
  }
  [[nodiscard]] bool empty() const { return words_[0] == 0 && words_[1] == 0; }
  /// The indices of the members, ascending.
  [[nodiscard]] std::vector<seat_index> members() const {
    std::vector<seat_index> all;
    for (std::uint16_t i = 0; i < capacity; ++i) {
      if (has({i})) all.push_back({i});
    }
    return all;
  }
  /// Sixteen bytes, the lowest member in the first bit: the form that is hashed.
  [[nodiscard]] std::array<std::uint8_t, 16> layout() const {
    std::array<std::uint8_t, 16> out{};
    for (std::size_t i = 0; i < 16; ++i)
      out[i] = static_cast<std::uint8_t>(words_[i / 8] >> (8 * (i % 8)));
    return out;
  }
  [[nodiscard]] static signer_set from_layout(const std::array<std::uint8_t, 16>& bits) {
    signer_set out;
    for (std::size_t i = 0; i < 16; ++i)
      out.words_[i / 8] |= static_cast<std::uint64_t>(bits[i]) << (8 * (i % 8));
    return out;
  }
  friend bool operator==(const signer_set&, const signer_set&) = default;

 private:
  std::array<std::uint64_t, 2> words_{};
};

}  // namespace soma::inline values
