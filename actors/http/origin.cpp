#include "actors/http/origin.hpp"

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <boost/beast/core/string.hpp>
#include <charconv>
#include <cstdlib>

namespace soma::http {
namespace {

using refusal = std::string_view;

unexpected<refusal> refused(refusal why) {
  return unexpected<refusal>(why);
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

bool is_name(std::string_view host) {
  return !host.empty() && host.size() <= 253 && std::ranges::all_of(host, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
  });
}

std::optional<boost::asio::ip::address> address_in(const std::string& host) {
  boost::system::error_code unreadable;
  const auto address = boost::asio::ip::make_address(host, unreadable);
  return unreadable ? std::nullopt : std::optional(address);
}

/// Takes "host" or "[address]" off the front.
std::optional<std::string> take_host(std::string_view& text) {
  if (take_prefix(text, "[")) {
    const auto end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    std::string host(text.substr(0, end));
    text.remove_prefix(end + 1);
    const auto address = address_in(host);
    return address && address->is_v6() ? std::optional(host) : std::nullopt;
  }
  const auto host = text.substr(0, text.find(':'));
  text.remove_prefix(host.size());
  return is_name(host) ? std::optional(std::string(host)) : std::nullopt;
}

std::string variable(const char* upper, const char* lower) {
  for (const char* name : {upper, lower}) {
    const char* const value = std::getenv(name);
    if (value != nullptr && *value != '\0') return value;
  }
  return {};
}

/// Whether one entry of NO_PROXY names the server.
bool names(std::string_view entry, const origin& server) {
  while (!entry.empty() && entry.front() == ' ') entry.remove_prefix(1);
  while (!entry.empty() && entry.back() == ' ') entry.remove_suffix(1);
  if (entry == "*") return true;
  const auto same = [](std::string_view a, std::string_view b) {
    return boost::beast::iequals({a.data(), a.size()}, {b.data(), b.size()});
  };
  if (same(entry, authority_of(server))) return true;
  while (!entry.empty() && entry.front() == '.') entry.remove_prefix(1);
  if (entry.empty()) return false;
  const std::string_view host = server.host;
  return same(host, entry) || (host.size() > entry.size() && !address_in(server.host) &&
                               same(host.substr(host.size() - entry.size()), entry) &&
                               host[host.size() - entry.size() - 1] == '.');
}

}  // namespace

expected<origin, std::string_view> parse_origin(std::string_view text) {
  origin made;
  if (take_prefix(text, "http://")) {
    made.tls = false;
    made.port = 80;
  } else if (!take_prefix(text, "https://")) {
    return refused("write it as https://host:port#pin or http://host:port");
  }
  if (const auto mark = text.find('#'); mark != std::string_view::npos) {
    if (!made.tls) return refused("only https:// can have a pin");
    made.pin = hash256::parse(text.substr(mark + 1));
    if (!made.pin) return refused("a pin is 64 hex digits");
    text = text.substr(0, mark);
  }
  if (text.ends_with('/')) text.remove_suffix(1);
  auto host = take_host(text);
  if (!host) return refused("the host is a name, an IPv4 address, or an IPv6 address in brackets");
  made.host = std::move(*host);
  if (text.empty()) return made;
  if (!take_prefix(text, ":")) return refused("behind the host there may be a port, and no path");
  const auto read = std::from_chars(text.data(), text.data() + text.size(), made.port);
  if (text.empty() || read.ec != std::errc() || read.ptr != text.data() + text.size() ||
      made.port == 0) {
    return refused("a port is a number from 1 to 65535");
  }
  return made;
}

std::string authority_of(const origin& at) {
  const bool brackets = at.host.find(':') != std::string::npos;
  std::string text = brackets ? "[" + at.host + "]" : at.host;
  return text += ":" + std::to_string(at.port);
}

std::string to_text(const origin& at) {
  std::string text = at.tls ? "https://" : "http://";
  text += authority_of(at);
  const std::string usual = at.tls ? ":443" : ":80";
  if (text.ends_with(usual)) text.resize(text.size() - usual.size());
  if (at.pin) text += "#" + to_hex(at.pin->view());
  return text;
}

proxy_environment read_proxy_environment() {
  return {variable("HTTPS_PROXY", "https_proxy"), variable("NO_PROXY", "no_proxy")};
}

expected<std::optional<origin>, std::string_view> proxy_for(const origin& server,
                                                            const proxy_environment& environment) {
  const std::optional<origin> direct;
  if (!server.tls || environment.https_proxy.empty()) return direct;
  const auto address = address_in(server.host);
  if (server.host == "localhost" || (address && address->is_loopback())) return direct;
  std::string_view rest = environment.no_proxy;
  while (!rest.empty()) {
    const auto entry = rest.substr(0, rest.find(','));
    if (names(entry, server)) return direct;
    rest.remove_prefix(std::min(entry.size() + 1, rest.size()));
  }
  const bool bare = environment.https_proxy.find("://") == std::string::npos;
  auto proxy = parse_origin((bare ? "http://" : "") + environment.https_proxy);
  if (!proxy) return refused("HTTPS_PROXY is http://host:port, without a user");
  if (proxy->tls)
    return refused("a proxy is spoken to by http://, which carries TLS to the server");
  return std::optional(std::move(*proxy));
}

}  // namespace soma::http
