// The people of a random world and their keys: the same keys in every world, so that making them
// costs once. The first ones have accounts and want to be validators now and then; the keys behind
// them are what validators change to.
#pragma once

#include <optional>
#include <vector>

#include "messages/crypto/ed25519.hpp"

namespace soma::test {

struct someone {
  crypto::key_pair keys;
  address where;
};

inline constexpr std::size_t person_count = 16;  // may send transactions
inline constexpr std::size_t first_validator = 8;
inline constexpr std::size_t key_count = 28;

/// key_count of them; the first person_count are persons.
[[nodiscard]] const std::vector<someone>& everybody();
[[nodiscard]] std::optional<std::size_t> person_at(const address& where);

}  // namespace soma::test
