// What a genesis holds, for people and as JSON.
#pragma once

#include <string>
#include <vector>

#include "deploy/soma/shell/json.hpp"
#include "messages/values/genesis.hpp"

namespace soma::cli {

[[nodiscard]] json genesis_json(const soma::genesis& genesis);
/// How much data a submission may have, and what an audit costs for each byte of it.
[[nodiscard]] std::string data_limit_text(const genesis_parameters& p);
/// The members of the first committee as a table: a header, and one line for each member.
[[nodiscard]] std::vector<std::string> committee_lines(const soma::genesis& genesis);
/// The whole genesis as lines of text.
[[nodiscard]] std::vector<std::string> genesis_lines(const soma::genesis& genesis);

}  // namespace soma::cli
