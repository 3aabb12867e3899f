// Where a local network is stored below the home directory, and how later commands find the names
// of its models.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "actors/localnet/localnet.hpp"
#include "deploy/soma/shell/failure.hpp"
#include "deploy/soma/shell/files.hpp"
#include "deploy/soma/source/folder_lock.hpp"

namespace soma::cli {

/// The folder of a local network while it runs. No other process takes it meanwhile.
struct running_localnet {
  std::filesystem::path directory;
  folder_lock lock;
};
/// Makes an empty <home>/localnet. What an earlier run left there is moved to
/// <home>/localnet.previous, whose old content is deleted. Refuses while another local network runs
/// in this home, and while a process reads one of the two folders with read_localnet().
[[nodiscard]] expected<running_localnet, failure> fresh_localnet(const std::filesystem::path& home);

/// Keeps the folder of a network where it is while its files are read. Refuses while it is being
/// replaced. nullopt if the folder may only be read: then no local network of this user replaces
/// it.
[[nodiscard]] expected<std::optional<folder_lock>, failure> read_localnet(
    const std::filesystem::path& directory);

/// Writes index.toml, which holds what the ledger does not: the names of the models.
[[nodiscard]] outcome write_localnet_index(const std::filesystem::path& directory,
                                           const localnet::localnet_report& report,
                                           const model_architecture& arch);
/// The names of models by their ids; empty if there is no index. Refuses a damaged index.
[[nodiscard]] expected<std::map<model_id, std::string>, failure> model_names(
    const std::filesystem::path& directory);

}  // namespace soma::cli
