#include "deploy/soma/network/gateway_addresses.hpp"

#include <algorithm>

namespace soma::cli {
namespace {

constexpr std::string_view how_to_write =
    "write https://HOST:PORT, with #PIN behind it if the gateway has no certificate of an "
    "authority; commas separate several";

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

bool is_of_this_machine(const std::string& host) {
  return host == "localhost" || host == "::1" ||
         (host.starts_with("127.") &&
          std::ranges::all_of(host, [](char c) { return (c >= '0' && c <= '9') || c == '.'; }));
}

}  // namespace

bool names_gateways(std::string_view text) {
  return text.find("://") != std::string_view::npos;
}

expected<std::vector<http::origin>, failure> parse_gateways(const std::string& option,
                                                            std::string_view text) {
  std::vector<http::origin> found;
  for (bool more = true; more;) {
    const auto comma = text.find(',');
    more = comma != std::string_view::npos;
    const auto one = trimmed(text.substr(0, comma));
    if (more) text.remove_prefix(comma + 1);
    const auto refused = [&](std::string_view why) {
      return wrong_usage(option, "`" + std::string(one) + "`: " + std::string(why),
                         std::string(how_to_write));
    };
    auto read = http::parse_origin(one);
    if (!read) return refused(read.error());
    if (!read->tls && !is_of_this_machine(read->host)) {
      return refused("http:// is for a gateway on this machine alone");
    }
    const auto is_same = [&](const http::origin& other) {
      return http::authority_of(other) == http::authority_of(*read);
    };
    if (std::ranges::any_of(found, is_same)) return refused("it is given more than once");
    if (found.size() == max_gateways) {
      return refused("there are more than " + std::to_string(max_gateways) + " gateways");
    }
    found.push_back(std::move(*read));
  }
  return found;
}

std::string shown_gateways(const std::vector<http::origin>& gateways) {
  std::string text;
  for (auto one : gateways) {
    one.pin.reset();
    text += (text.empty() ? "" : ", ") + http::to_text(one);
  }
  return text;
}

}  // namespace soma::cli
