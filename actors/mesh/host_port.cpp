#include "actors/mesh/host_port.hpp"

#include <charconv>

namespace soma::mesh {

std::optional<host_port> parse_host_port(std::string_view text) {
  constexpr std::string_view scheme = "tls://";
  if (text.starts_with(scheme)) text.remove_prefix(scheme.size());
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  auto host = text.substr(0, colon);
  if (host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  const auto digits = text.substr(colon + 1);
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc{} || end != digits.data() + digits.size() || host.empty())
    return std::nullopt;
  return host_port{std::string(host), port};
}

}  // namespace soma::mesh
