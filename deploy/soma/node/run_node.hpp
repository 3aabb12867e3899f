// Runs a node until it is asked to stop.
#pragma once

#include "deploy/soma/shell/verb.hpp"
#include "deploy/soma/source/node_config.hpp"

namespace soma::cli {

/// Takes the home's lock, runs the roles, and prints where they listen once all are up. Returns
/// when every role has ended.
[[nodiscard]] outcome run_node(const run_context& context, const node_config& config);

}  // namespace soma::cli
