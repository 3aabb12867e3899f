#include "actors/mesh/host_port.hpp"

#include <algorithm>
#include <charconv>

namespace soma::mesh {
namespace {

constexpr std::size_t longest_host_bytes = 253;  // as in DNS

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_name(std::string_view host) {
  return host.size() <= longest_host_bytes && std::ranges::all_of(host, [](char c) {
           return is_letter_or_digit(c) || c == '.' || c == '-' || c == '_';
         });
}

/// Whether it has the characters of an IPv6 address, such as fe80::1%eth0. Whether it is one is
/// found out by the resolver.
bool is_ipv6(std::string_view host) {
  return host.find(':') != std::string_view::npos && host.size() <= longest_host_bytes &&
         std::ranges::all_of(host, [](char c) {
           return is_letter_or_digit(c) || c == ':' || c == '.' || c == '%' || c == '-' || c == '_';
         });
}

}  // namespace

expected<host_port, address_refusal> parse_host_port(std::string_view text) {
  constexpr std::string_view scheme = "tls://";
  if (text.starts_with(scheme)) text.remove_prefix(scheme.size());
  const auto colon = text.rfind(':');
  const auto bracket = text.rfind(']');
  const bool ends_in_bracket = bracket != std::string_view::npos && bracket + 1 == text.size();
  if (text.empty()) return make_unexpected(address_refusal::no_host);
  if (colon == std::string_view::npos || ends_in_bracket) {
    return make_unexpected(address_refusal::no_port);
  }
  auto host = text.substr(0, colon);
  const auto digits = text.substr(colon + 1);
  if (host.empty()) return make_unexpected(address_refusal::no_host);
  if (host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
    if (host.empty()) return make_unexpected(address_refusal::no_host);
    if (!is_ipv6(host)) return make_unexpected(address_refusal::bad_host);
  } else if (is_ipv6(host)) {
    return make_unexpected(address_refusal::needs_brackets);
  } else if (!is_name(host)) {
    return make_unexpected(address_refusal::bad_host);
  }
  if (digits.empty()) return make_unexpected(address_refusal::no_port);
  std::uint16_t port = 0;
  const auto* end = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), end, port);
  if (read.ec != std::errc{} || read.ptr != end) return make_unexpected(address_refusal::bad_port);
  return host_port{std::string(host), port};
}

expected<host_port, address_refusal> parse_remote(std::string_view text) {
  auto at = parse_host_port(text);
  if (at && at->port == 0) return make_unexpected(address_refusal::port_zero);
  return at;
}

std::string_view to_text(address_refusal refusal) {
  switch (refusal) {
    case address_refusal::no_host:
      return "the host is missing";
    case address_refusal::no_port:
      return "the port is missing";
    case address_refusal::bad_port:
      return "the port is not a number up to 65535";
    case address_refusal::port_zero:
      return "port 0 stands for any port, and nobody can connect to that";
    case address_refusal::bad_host:
      return "the host is neither a name nor an address";
    case address_refusal::needs_brackets:
      return "an IPv6 address needs brackets";
  }
  return "unknown refusal";
}

std::string to_text(const host_port& at) {
  const bool has_colon = at.host.find(':') != std::string::npos;
  return (has_colon ? "[" + at.host + "]" : at.host) + ":" + std::to_string(at.port);
}

}  // namespace soma::mesh
