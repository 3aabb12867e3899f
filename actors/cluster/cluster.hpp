// The way to a role in another process of the same operator: publish it at an address, or get its
// handle from one. Always mutual TLS; a peer without a certificate of our CA does not get past the
// handshake (security §1.1).
#pragma once

#include <caf/actor_system.hpp>
#include <caf/openssl/publish.hpp>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "actors/mesh/host_port.hpp"
#include "messages/values/expected.hpp"

namespace soma::cluster {

/// Listens at `at` for those who look for `role`; port 0 lets the system choose. The port, or why
/// not.
template <class Handle>
[[nodiscard]] expected<std::uint16_t, std::string> publish_role(const Handle& role,
                                                                const mesh::host_port& at) {
  auto port = caf::openssl::publish(role, at.port, at.host.c_str(), true);
  if (!port) return make_unexpected(role.home_system().render(port.error()));
  return *port;
}

/// Closes the door again; whoever is connected stays so.
void unpublish_role(caf::actor_system& system, const caf::strong_actor_ptr& role,
                    std::uint16_t port);

/// A peer that takes the connection and then says nothing is given up after this long.
inline constexpr std::uint32_t connect_patience_ms = 10'000;

/// The role that is published there and speaks all of `interface`; the type-free part of
/// connect_role.
[[nodiscard]] expected<caf::strong_actor_ptr, std::string> connect_any(
    caf::actor_system& system, const std::set<std::string>& interface, const mesh::host_port& to);

/// Blocks until connected or refused. An answering role of another type is a refusal too (security
/// §1.3).
template <class Handle>
[[nodiscard]] expected<Handle, std::string> connect_role(caf::actor_system& system,
                                                         const mesh::host_port& to) {
  auto role = connect_any(system, system.message_types(caf::detail::type_list<Handle>{}), to);
  if (!role) return make_unexpected(role.error());
  return caf::actor_cast<Handle>(std::move(*role));
}

}  // namespace soma::cluster
