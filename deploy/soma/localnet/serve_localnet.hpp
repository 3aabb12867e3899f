// A local network that goes on in real time, with a gateway that anybody on this machine can talk
// to. Its folder becomes the home of a node, which `soma node run` can start again later.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "deploy/soma/shell/failure.hpp"
#include "deploy/soma/shell/verb.hpp"
#include "messages/values/genesis.hpp"

namespace soma::cli {

/// Refuses an address at which nobody can listen, and a network of several validators, because one
/// process runs one of them.
[[nodiscard]] outcome check_served(const std::string& address, std::uint32_t validators);

/// Writes the genesis, the keys and node.toml into `directory`, and runs the node until a stop is
/// asked for. The keys follow from the seed of the network.
[[nodiscard]] outcome serve_localnet(const run_context& context,
                                     const std::filesystem::path& directory,
                                     const soma::genesis& genesis, std::uint64_t seed,
                                     const std::string& address);

}  // namespace soma::cli
