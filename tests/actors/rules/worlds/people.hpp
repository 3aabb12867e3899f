// The people of a random world and their keys. The keys are the same in every world, so that they
// are made only once. The first people have accounts, and some of them become validators; the keys
// after theirs are those that validators change to. The last are the members that fill the large
// committees of some worlds: they do nothing but vote.
#pragma once

#include <optional>
#include <vector>

#include "actors/rules/onion.hpp"
#include "messages/crypto/ed25519.hpp"

namespace soma::test {

struct someone {
  crypto::key_pair keys;
  address where;
};

inline constexpr std::size_t person_count = 16;  // people that may send transactions
inline constexpr std::size_t first_validator = 8;
inline constexpr std::size_t key_count = 28;
inline constexpr std::size_t first_voter = key_count;
inline constexpr std::size_t voter_count = 24;
static_assert(first_voter + voter_count <= 64, "a step has a bit for everybody");

/// All keys. The first person_count belong to people, the last voter_count to voters.
[[nodiscard]] const std::vector<someone>& everybody();
[[nodiscard]] std::optional<std::size_t> person_at(const address& where);
/// Whose consensus key this is; it is one of everybody's.
[[nodiscard]] std::size_t key_at(const public_key& key);

/// The hash onions of the people have few layers, so that they are used up.
inline constexpr std::size_t onion_layers = 12;

/// The outermost layer of the onion with this number of a key, which is named by its place among
/// everybody's.
[[nodiscard]] hash256 outermost_layer(std::size_t key, std::uint64_t number);
/// What a block under this key peels at this height: zero without an onion, nullopt when the onion
/// is used up or was never one.
[[nodiscard]] std::optional<hash256> peel_at(const std::optional<onion_row>& onion, std::size_t key,
                                             block_height height);

}  // namespace soma::test
