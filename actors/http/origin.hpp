// The address of a server as people write it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "messages/values/expected.hpp"
#include "messages/values/ids.hpp"

namespace soma::http {

struct origin {
  bool tls = true;
  std::string host;  // a name or an address, never in brackets
  std::uint16_t port = 443;
  std::optional<hash256> pin;  // of the server's key: messages/crypto/public_tls/certificate.hpp
  friend bool operator==(const origin&, const origin&) = default;
};

/// Reads https://host:port#sha256-of-the-key, where port and pin may be missing, or
/// http://host:port. A '/' at the end is passed over; a user, a longer path and a query are refused.
/// A sentence says what is wrong.
[[nodiscard]] expected<origin, std::string_view> parse_origin(std::string_view text);
/// The same as parse_origin() reads; without the port if it is the usual one.
[[nodiscard]] std::string to_text(const origin& at);
/// "host:port", with brackets around an IPv6 address; as the header Host wants it.
[[nodiscard]] std::string authority_of(const origin& at);

/// What the environment says of proxies.
struct proxy_environment {
  std::string https_proxy;  // HTTPS_PROXY or https_proxy: http://host:port, or host:port
  std::string no_proxy;     // NO_PROXY or no_proxy: names that are separated by commas
};
[[nodiscard]] proxy_environment read_proxy_environment();

/// The proxy by which this server is reached; nullopt when it is reached directly, as plain HTTP
/// and loopback addresses always are. A name in no_proxy, with or without a port, also stands for
/// the names below it, and '*' for all. A proxy that cannot be read is refused.
[[nodiscard]] expected<std::optional<origin>, std::string_view> proxy_for(
    const origin& server, const proxy_environment& environment);

}  // namespace soma::http
