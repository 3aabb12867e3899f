// The address at which a process listens, as people write it: a host and a TCP port.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace soma::mesh {

struct host_port {
  std::string host;
  std::uint16_t port = 0;
  friend bool operator==(const host_port&, const host_port&) = default;
};

/// "tls://host:port", "host:port" or "[host]:port"; nullopt for anything else.
[[nodiscard]] std::optional<host_port> parse_host_port(std::string_view text);

}  // namespace soma::mesh
