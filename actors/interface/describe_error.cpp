#include "actors/interface/describe_error.hpp"

#include <caf/exit_reason.hpp>
#include <caf/sec.hpp>
#include <exception>

namespace soma::inline interface {
namespace {

/// The first text in an error; empty if there is none.
std::string text_in(const caf::error& why) {
  const auto& context = why.context();
  if (context.size() == 0 || !context.match_element<std::string>(0)) return {};
  return context.get_as<std::string>(0);
}

/// True if what could not be reached was named by an IPv6 address. When nothing listens there, the
/// actor system looks for an IPv4 address of the same name, and reports that it has none.
bool is_ipv6(const caf::error& why) {
  const auto& context = why.context();
  if (context.size() < 2 || !context.match_element<std::string>(1)) return false;
  return context.get_as<std::string>(1).find(':') != std::string::npos;
}

std::string describe_system_error(const caf::error& why) {
  const auto code = static_cast<caf::sec>(why.code());
  switch (code) {
    case caf::sec::runtime_error:
      return text_in(why).empty() ? "it ended because of an error" : text_in(why);
    case caf::sec::cannot_connect_to_node:
      return text_in(why) == "no such host" && !is_ipv6(why)
                 ? "there is no such host"
                 : "no process accepts connections there";
    case caf::sec::disconnect_during_handshake:
      return "the other side closed the connection: either another program listens there, or the "
             "certificates of the two sides are not of the same authority";
    case caf::sec::no_actor_published_at_port:
      return "no role is published there";
    case caf::sec::unexpected_actor_messaging_interface:
      return "another role is published there";
    case caf::sec::incompatible_versions:
    case caf::sec::incompatible_application_ids:
    case caf::sec::malformed_basp_message:
    case caf::sec::serializing_basp_payload_failed:
    case caf::sec::unknown_type:
      return "the other side runs another version of the program";
    case caf::sec::cannot_open_port:
    case caf::sec::failed_to_assign_doorman_from_handle:
      return "the address is in use, or it is not one of this machine";
    case caf::sec::request_timeout:
    case caf::sec::connection_timeout:
      return "no answer came in time";
    case caf::sec::request_receiver_down:
    case caf::sec::remote_linking_failed:
      return "it has ended";
    case caf::sec::no_route_to_receiving_node:
    case caf::sec::cannot_forward_to_invalid_actor:
    case caf::sec::socket_disconnected:
    case caf::sec::socket_operation_failed:
    case caf::sec::remote_lookup_failed:
      return "the connection was lost";
    case caf::sec::network_syscall_failed:
      return "the network of this machine failed";
    default:
      return "the actor system reports " + to_string(code);
  }
}

std::string describe_exit(const caf::error& why) {
  switch (static_cast<caf::exit_reason>(why.code())) {
    case caf::exit_reason::remote_link_unreachable:
    case caf::exit_reason::unreachable:
      return "the connection was lost";
    case caf::exit_reason::unhandled_exception:
      return "it ended because of an error";
    default:
      return "it has ended";
  }
}

}  // namespace

std::string describe_error(const caf::error& why) {
  if (!why) return "it has ended";
  if (why.category() == caf::atom("system")) return describe_system_error(why);
  return describe_exit(why);
}

void name_exceptions(caf::scheduled_actor& role) {
  role.set_exception_handler([](caf::scheduled_actor*, std::exception_ptr& thrown) -> caf::error {
    try {
      std::rethrow_exception(thrown);
    } catch (const std::exception& failure) {
      return caf::make_error(caf::sec::runtime_error, std::string(failure.what()));
    } catch (...) {
      return caf::sec::runtime_error;
    }
  });
}

}  // namespace soma::inline interface
