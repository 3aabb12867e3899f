// A network with unusual parameters: any that check_genesis accepts and that fit a test of minutes.
#pragma once

#include "messages/values/genesis.hpp"

namespace soma::test {

/// The same seed gives the same genesis.
[[nodiscard]] genesis random_genesis(std::uint64_t seed);

}  // namespace soma::test
