// The report at the end of a local network's run, for people and as JSON.
#pragma once

#include <filesystem>

#include "actors/localnet/localnet.hpp"
#include "deploy/soma/shell/json.hpp"

namespace soma::cli {

[[nodiscard]] json to_json(const localnet::localnet_report& report);
void print_report(const localnet::localnet_report& report, const std::filesystem::path& directory,
                  double seconds);

}  // namespace soma::cli
