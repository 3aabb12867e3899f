// What a genesis says, for a person and as JSON.
#pragma once

#include <string>
#include <vector>

#include "deploy/soma/shell/json.hpp"
#include "messages/values/genesis.hpp"

namespace soma::cli {

[[nodiscard]] json genesis_json(const soma::genesis& genesis);
/// The first committee, a line a member.
[[nodiscard]] std::vector<std::string> committee_lines(const soma::genesis& genesis);
[[nodiscard]] std::vector<std::string> genesis_lines(const soma::genesis& genesis);

}  // namespace soma::cli
