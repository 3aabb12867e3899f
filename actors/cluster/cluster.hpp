// The way to a role in another process of the same operator: one process publishes it at an
// address, another gets its handle from there. Connections always use mutual TLS. A peer without a
// certificate of the operator's CA fails in the handshake (security §1.1).
#pragma once

#include <caf/actor_system.hpp>
#include <caf/openssl/publish.hpp>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "actors/interface/describe_error.hpp"
#include "actors/mesh/host_port.hpp"
#include "messages/values/expected.hpp"

namespace soma::cluster {

/// Listens at `at` for processes that want `role`; with port 0 the system chooses one. Returns the
/// port, or the reason why it cannot listen.
template <class Handle>
[[nodiscard]] expected<std::uint16_t, std::string> publish_role(const Handle& role,
                                                                const mesh::host_port& at) {
  auto port = caf::openssl::publish(role, at.port, at.host.c_str(), true);
  if (!port) return make_unexpected(describe_error(port.error()));
  return *port;
}

/// Stops listening. Connections that are open stay open.
void unpublish_role(caf::actor_system& system, const caf::strong_actor_ptr& role,
                    std::uint16_t port);

/// A peer that accepts the connection and then does not answer is given up after this time.
inline constexpr std::uint32_t connect_patience_ms = 10'000;

/// The part of connect_role that does not depend on the type: the role that is published at `to`,
/// if it understands all messages of `interface`.
[[nodiscard]] expected<caf::strong_actor_ptr, std::string> connect_any(
    caf::actor_system& system, const std::set<std::string>& interface, const mesh::host_port& to);

/// Connects to the role at `to`; blocks until that is done or has failed. It also fails when the
/// role there is of another type (security §1.3).
template <class Handle>
[[nodiscard]] expected<Handle, std::string> connect_role(caf::actor_system& system,
                                                         const mesh::host_port& to) {
  auto role = connect_any(system, system.message_types(caf::detail::type_list<Handle>{}), to);
  if (!role) return make_unexpected(role.error());
  return caf::actor_cast<Handle>(std::move(*role));
}

}  // namespace soma::cluster
