// The address at which a process listens, as people write it: a host and a TCP port.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "messages/values/expected.hpp"

namespace soma::mesh {

struct host_port {
  std::string host;  // a name or an address, never in brackets
  std::uint16_t port = 0;
  friend bool operator==(const host_port&, const host_port&) = default;
};

enum class address_refusal : std::uint8_t {
  no_host,
  no_port,
  bad_port,        // not a number from 0 to 65535
  port_zero,       // where a process connects to, the port must be known
  bad_host,        // not a name, an IPv4 address, or an IPv6 address in brackets
  needs_brackets,  // an IPv6 address whose last group cannot be told from a port
};
/// What is wrong, for a refusal. What to write instead is the same for all: how_to_write_address.
[[nodiscard]] std::string_view to_text(address_refusal refusal);
inline constexpr std::string_view how_to_write_address =
    "write it as 10.0.0.5:7003, node.example:7003 or [::1]:7003";

/// Reads "tls://host:port", "host:port" or "[IPv6 address]:port". Port 0 stands for any free port,
/// so it can be listened at but not connected to.
[[nodiscard]] expected<host_port, address_refusal> parse_host_port(std::string_view text);
/// The same for an address to connect to: refuses port 0.
[[nodiscard]] expected<host_port, address_refusal> parse_remote(std::string_view text);

/// "host:port", with brackets around an IPv6 address: parse_host_port() gives the same back.
[[nodiscard]] std::string to_text(const host_port& at);

}  // namespace soma::mesh
