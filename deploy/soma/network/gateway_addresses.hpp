// The addresses of gateways as people write them behind --join, or as `join` in a configuration:
// https://host:port#pin, several of them separated by commas. The pin is the hash of the gateway's
// key; without it the authorities of the system say whose certificate is good. http:// is for
// gateways on this machine alone, since anybody on the way could change what it says.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "actors/http/origin.hpp"
#include "deploy/soma/shell/failure.hpp"

namespace soma::cli {

inline constexpr std::size_t max_gateways = 16;

/// Whether the text means gateways, and not the door of a validator: whether it has "://".
[[nodiscard]] bool names_gateways(std::string_view text);

/// 1 to max_gateways addresses, each of them once. A refusal names `option` and the address that is
/// wrong.
[[nodiscard]] expected<std::vector<http::origin>, failure> parse_gateways(const std::string& option,
                                                                          std::string_view text);

/// "https://a, https://b", without pins.
[[nodiscard]] std::string shown_gateways(const std::vector<http::origin>& gateways);

}  // namespace soma::cli
