#include "messages/crypto/random.hpp"

#include <openssl/rand.h>

#include <algorithm>
#include <climits>
#include <cstring>

#include "messages/crypto/hash.hpp"
#include "messages/crypto/openssl.hpp"
#include "messages/values/assert.hpp"

namespace soma::crypto {

std::uint64_t random_source::next_u64() {
  std::uint8_t raw[8];
  fill(raw);
  std::uint64_t value = 0;
  for (int i = 7; i >= 0; --i) value = value << 8 | raw[i];
  return value;
}

std::uint64_t random_source::below(std::uint64_t bound) {
  SOMA_ASSERT(bound > 0, "something to choose from");
  // 2^64 mod bound: the values below it would favour the low results.
  const std::uint64_t unfair = (0 - bound) % bound;
  std::uint64_t value = next_u64();
  while (value < unfair) value = next_u64();
  return value % bound;
}

void system_random::fill(std::span<std::uint8_t> out) {
  while (!out.empty()) {
    const auto step = std::min<std::size_t>(out.size(), INT_MAX);
    require(RAND_priv_bytes(out.data(), static_cast<int>(step)) == 1, "no system randomness");
    out = out.subspan(step);
  }
}

void seeded_random::fill(std::span<std::uint8_t> out) {
  while (!out.empty()) {
    if (left_ == 0) {
      const auto next = tagged_hash("soma.random").add_u64(seed_).add_u64(next_block_++).finish();
      std::copy(next.value.begin(), next.value.end(), block_);
      left_ = sizeof block_;
    }
    const auto step = std::min(out.size(), left_);
    std::copy_n(block_ + sizeof block_ - left_, step, out.begin());
    left_ -= step;
    out = out.subspan(step);
  }
}

}  // namespace soma::crypto
