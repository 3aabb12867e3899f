#include "actors/interface/describe_error.hpp"

#include <doctest/doctest.h>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/exit_reason.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/sec.hpp>
#include <caf/send.hpp>
#include <stdexcept>
#include <string>

namespace soma {
namespace {

bool is_plain(const std::string& text) {
  return !text.empty() && text.find_first_of("_()") == std::string::npos;
}

}  // namespace

TEST_CASE("errors of the actor system are sentences") {
  for (const auto code :
       {caf::sec::runtime_error, caf::sec::cannot_connect_to_node,
        caf::sec::disconnect_during_handshake, caf::sec::no_actor_published_at_port,
        caf::sec::unexpected_actor_messaging_interface, caf::sec::incompatible_versions,
        caf::sec::cannot_open_port, caf::sec::request_timeout, caf::sec::request_receiver_down,
        caf::sec::socket_disconnected, caf::sec::network_syscall_failed}) {
    const auto text = describe_error(caf::make_error(code));
    CAPTURE(text);
    CHECK(is_plain(text));
  }
  for (const auto reason : {caf::exit_reason::normal, caf::exit_reason::kill,
                            caf::exit_reason::unreachable, caf::exit_reason::user_shutdown}) {
    CHECK(is_plain(describe_error(caf::make_error(reason))));
  }
  CHECK(is_plain(describe_error(caf::error{})));
  CHECK(describe_error(caf::make_error(caf::sec::cannot_connect_to_node, "no such host", "h", 1)) ==
        "there is no such host");
  // Nothing listens at an IPv6 address: CAF then looks for an IPv4 address of that name.
  CHECK(describe_error(caf::make_error(caf::sec::cannot_connect_to_node, "no such host", "::1",
                                       7301)) == "no process accepts connections there");
  CHECK(describe_error(caf::make_error(caf::sec::runtime_error, "the disk is gone")) ==
        "the disk is gone");
}

TEST_CASE("an actor that throws ends with the text of its exception") {
  caf::actor_system_config config;
  caf::actor_system system(config);
  const auto role = system.spawn([](caf::event_based_actor* self) -> caf::behavior {
    name_exceptions(*self);
    return {[](int) { throw std::runtime_error("the disk is gone"); }};
  });
  caf::scoped_actor self(system);
  self->monitor(role);
  caf::anon_send(role, 1);
  std::string why;
  self->receive([&](const caf::down_msg& down) { why = describe_error(down.reason); });
  CHECK(why == "the disk is gone");
}

}  // namespace soma
