// Where a local network lives below the home directory, and how a later command finds its models
// again.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "actors/localnet/localnet.hpp"
#include "deploy/soma/shell/failure.hpp"

namespace soma::cli {

/// <home>/localnet, empty. What a run before left there moves to <home>/localnet.previous, whose
/// own content goes.
[[nodiscard]] expected<std::filesystem::path, failure> fresh_localnet(
    const std::filesystem::path& home);

/// index.toml: what the ledger does not know, the names of the models.
[[nodiscard]] outcome write_localnet_index(const std::filesystem::path& directory,
                                           const localnet::localnet_report& report,
                                           const model_architecture& arch);
/// Names by model id; empty where there is no index.
[[nodiscard]] std::map<model_id, std::string> model_names(const std::filesystem::path& directory);

}  // namespace soma::cli
