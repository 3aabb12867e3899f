// The people of a random world and their keys. The keys are the same in every world, so that they
// are made only once. The first people have accounts, and some of them become validators; the keys
// after theirs are those that validators change to.
#pragma once

#include <optional>
#include <vector>

#include "messages/crypto/ed25519.hpp"

namespace soma::test {

struct someone {
  crypto::key_pair keys;
  address where;
};

inline constexpr std::size_t person_count = 16;  // people that may send transactions
inline constexpr std::size_t first_validator = 8;
inline constexpr std::size_t key_count = 28;

/// All keys, key_count of them. The first person_count belong to people.
[[nodiscard]] const std::vector<someone>& everybody();
[[nodiscard]] std::optional<std::size_t> person_at(const address& where);

}  // namespace soma::test
