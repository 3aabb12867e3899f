#include "actors/cluster/cluster.hpp"

#include <caf/openssl/manager.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <chrono>

#include "actors/interface/describe_error.hpp"

namespace soma::cluster {

void unpublish_role(caf::actor_system& system, const caf::strong_actor_ptr& role,
                    std::uint16_t port) {
  caf::scoped_actor self(system);
  self->request(system.openssl_manager().actor_handle(),
                std::chrono::milliseconds(connect_patience_ms), caf::unpublish_atom_v,
                caf::actor_cast<caf::actor_addr>(role), port)
      .receive([] {}, [](caf::error&) {});  // an error says that it is closed already
}

expected<caf::strong_actor_ptr, std::string> connect_any(caf::actor_system& system,
                                                         const std::set<std::string>& interface,
                                                         const mesh::host_port& to) {
  expected<caf::strong_actor_ptr, std::string> result =
      make_unexpected(std::string("nobody is published there"));
  caf::scoped_actor self(system);
  self->request(system.openssl_manager().actor_handle(),
                std::chrono::milliseconds(connect_patience_ms), caf::connect_atom_v, to.host,
                to.port)
      .receive(
          [&](const caf::node_id&, const caf::strong_actor_ptr& role,
              const std::set<std::string>& offered) {
            if (!role) return;
            if (!system.assignable(offered, interface)) {
              result = make_unexpected(std::string("another role is published there"));
              return;
            }
            result = role;
          },
          [&](caf::error& why) { result = make_unexpected(describe_error(why)); });
  return result;
}

}  // namespace soma::cluster
