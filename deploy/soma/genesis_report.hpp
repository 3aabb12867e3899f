// What a genesis says, for a person and as JSON.
#pragma once

#include <string>
#include <vector>

#include "deploy/soma/json.hpp"
#include "messages/types/genesis.hpp"

namespace soma {

[[nodiscard]] json genesis_json(const genesis& born);
/// The first committee, a line a member.
[[nodiscard]] std::vector<std::string> committee_lines(const genesis& born);
[[nodiscard]] std::vector<std::string> genesis_lines(const genesis& born);

}  // namespace soma
