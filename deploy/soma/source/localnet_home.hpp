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
  std::filesystem::path earlier;  // where the network before is now; empty if there was none
  folder_lock lock;
};
/// Makes an empty <home>/localnet. A network that ran there to its end is moved to
/// <home>/localnet.N, whose number is above those of all earlier ones, and nothing removes it. What
/// is left of a run that did not come to its end is removed. Refuses while another local network
/// runs in this home, and while a process reads the folder with read_localnet().
[[nodiscard]] expected<running_localnet, failure> fresh_localnet(const std::filesystem::path& home);
/// Puts the network before back into its place. What the network that was given up has written is
/// removed.
[[nodiscard]] outcome put_back_earlier(const running_localnet& given_up);

/// Keeps the folder of a network where it is while its files are read. Refuses while it is being
/// replaced. nullopt if the folder may only be read: then no local network of this user replaces
/// it.
[[nodiscard]] expected<std::optional<folder_lock>, failure> read_localnet(
    const std::filesystem::path& directory);

/// Writes index.toml, which holds what the ledger does not: the names of the models and accounts.
[[nodiscard]] outcome write_localnet_index(const std::filesystem::path& directory,
                                           const localnet::localnet_report& report,
                                           const model_architecture& arch);

struct localnet_names {
  std::map<model_id, std::string> models;
  std::map<address, std::string> accounts;  // "submitter-1", "validator-1", "owner-1" …
};
/// The names of models and accounts; empty if there is no index. Refuses a damaged index.
[[nodiscard]] expected<localnet_names, failure> names_of_localnet(
    const std::filesystem::path& directory);

}  // namespace soma::cli
