// The gateway of a node: its certificate, its address, and the role itself.
#pragma once

#include "actors/gateway/gateway.hpp"
#include "deploy/soma/node/node_wiring.hpp"

namespace soma::cli {

struct started_gateway {
  gateway::gateway_actor role;
  published_role door;
};

/// Listens where the configuration says. Without files of the operator, the node makes a
/// certificate and a key in its home at the first start; the key, and so the pin in the address,
/// stays the same.
/// `ports` are the roles that it asks; its clock is that of the process.
[[nodiscard]] expected<started_gateway, supervisor::role_failure> start_gateway(
    const node_config& config, supervised_process& process, gateway::gateway_ports ports);

}  // namespace soma::cli
