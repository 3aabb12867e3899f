// A network with odd parameters: all that check_genesis lets pass and a test of minutes can live
// with.
#pragma once

#include "messages/values/genesis.hpp"

namespace soma::test {

/// Always the same for a seed.
[[nodiscard]] genesis random_genesis(std::uint64_t seed);

}  // namespace soma::test
