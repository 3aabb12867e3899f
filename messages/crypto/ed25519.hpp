// Ed25519 (RFC 8032) by one implementation and one rule for its edge cases, because every node must
// accept exactly the same signatures. Keys of small order and keys or points in non-canonical form
// are refused; S must be below the group's order; the check has no cofactor; signatures are never
// verified in batches. Protocol §1.4.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "messages/crypto/random.hpp"
#include "messages/values/bytes.hpp"
#include "messages/values/ids.hpp"

namespace soma::crypto {

/// A secret key and its public half. Copies share the secret, which is wiped when the last of them
/// is destroyed.
class key_pair {
 public:
  [[nodiscard]] static key_pair from_seed(std::span<const std::uint8_t, 32> seed);
  [[nodiscard]] static key_pair generate(random_source& random);

  [[nodiscard]] const public_key& public_half() const { return public_; }
  [[nodiscard]] signature sign(byte_view message) const;
  /// The secret, for key files only. The caller wipes it.
  [[nodiscard]] std::array<std::uint8_t, 32> seed() const;

 private:
  struct secret;
  key_pair(std::shared_ptr<const secret> secret, const public_key& key);
  std::shared_ptr<const secret> secret_;
  public_key public_{};
};

/// True if `key` may be used at all: it is canonical and not of small order.
[[nodiscard]] bool is_acceptable(const public_key& key);

/// True only for a signature of `message` by an acceptable `key`.
[[nodiscard]] bool verify(const public_key& key, byte_view message, const signature& by_key);

/// H("soma.address", key).
[[nodiscard]] address address_of(const public_key& key);

}  // namespace soma::crypto
