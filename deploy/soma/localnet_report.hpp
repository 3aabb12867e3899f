// A local network's closing report: for people and as JSON.
#pragma once

#include <filesystem>

#include "actors/world/localnet.hpp"
#include "deploy/soma/json.hpp"

namespace soma {

[[nodiscard]] json to_json(const actors::localnet_report& report);
void print_report(const actors::localnet_report& report, const std::filesystem::path& directory,
                  double seconds);

}  // namespace soma
