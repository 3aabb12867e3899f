// Keys and signatures of the simulated network. A signature is a keyed mix of 128 bits: cheap, and
// nobody has one who does not hold the key, because only sign_* make them and the code of a
// process is given its own keys alone. A key names its identity and version, for the checkers.
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
  /// In the order of identities.
  [[nodiscard]] static address member(std::uint16_t identity);
  [[nodiscard]] static std::uint16_t identity_of(const address& member);

  struct holder {
    std::uint16_t identity = 0;
    std::uint16_t version = 0;
  };
  /// nullopt when the key is none of this network.
  [[nodiscard]] std::optional<holder> holder_of(const public_key& key) const;

  [[nodiscard]] signature sign_block(const public_key& key, const block_id& block) const;
  [[nodiscard]] signature sign_vote(const public_key& key, const vote_statement& vote,
                                    const chain_id& chain) const;

 private:
  [[nodiscard]] signature sign(const public_key& key, std::uint64_t digest) const;
  std::uint64_t seed_;
};

/// Eight bytes of 32, as a number.
template <class Id>
[[nodiscard]] std::uint64_t word_of(const Id& id, std::size_t which = 0) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    word |= static_cast<std::uint64_t>(id.value[which * 8 + i]) << (8 * i);
  }
  return word;
}
/// 32 bytes that follow from a number; for everything that only has to be unlike all others.
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
