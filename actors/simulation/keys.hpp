// Keys and signatures of the simulated network. A signature is a keyed mix of 128 bits, which is
// cheap. It can't be forged as long as only the sign functions make signatures and each node is
// given its own keys alone. A key names its identity and version, so that checkers know its holder.
#pragma once

#include <optional>

#include "actors/simulation/random.hpp"
#include "messages/values/votes.hpp"

namespace soma::simulation {

class keyring {
 public:
  explicit keyring(std::uint64_t seed) : seed_(seed) {}

  [[nodiscard]] chain_id chain() const;
  [[nodiscard]] public_key key(std::uint16_t identity, std::uint16_t version) const;
  /// The address of an identity. Addresses are ordered as their identities are.
  [[nodiscard]] static address member(std::uint16_t identity);
  [[nodiscard]] static std::uint16_t identity_of(const address& member);

  struct holder {
    std::uint16_t identity = 0;
    std::uint16_t version = 0;
  };
  /// nullopt when the key does not belong to this network.
  [[nodiscard]] std::optional<holder> holder_of(const public_key& key) const;

  [[nodiscard]] signature sign_block(const public_key& key, const block_id& block) const;
  [[nodiscard]] signature sign_vote(const public_key& key, const vote_statement& vote,
                                    const chain_id& chain) const;

 private:
  [[nodiscard]] signature sign(const public_key& key, std::uint64_t digest) const;
  std::uint64_t seed_;
};

/// Eight of the 32 bytes of an id, as a number.
template <class Id>
[[nodiscard]] std::uint64_t word_of(const Id& id, std::size_t which = 0) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    word |= static_cast<std::uint64_t>(id.value[which * 8 + i]) << (8 * i);
  }
  return word;
}
/// An id of 32 bytes that follows from a number, where an id only has to differ from all others.
template <class Id>
[[nodiscard]] Id id_from(std::uint64_t number) {
  Id id;
  for (std::size_t i = 0; i < 32; ++i) {
    if (i % 8 == 0) number = mix(number);
    id.value[i] = static_cast<std::uint8_t>(number >> (8 * (i % 8)));
  }
  return id;
}

}  // namespace soma::simulation
