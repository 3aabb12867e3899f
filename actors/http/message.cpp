#include "actors/http/message.hpp"

#include <algorithm>
#include <array>
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/status.hpp>
#include <ctime>

namespace soma::http {
namespace {

constexpr std::array<std::pair<method, std::string_view>, 7> methods{{
    {method::get, "GET"},
    {method::head, "HEAD"},
    {method::post, "POST"},
    {method::put, "PUT"},
    {method::patch, "PATCH"},
    {method::delete_, "DELETE"},
    {method::options, "OPTIONS"},
}};

std::string json_text(std::string_view text) {
  static constexpr std::string_view digits = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20) {
      out += "\\u00";
      out += digits[byte >> 4U];
      out += digits[byte & 15U];
    } else {
      out += c;
    }
  }
  return out += '"';
}

bool is_header_name(std::string_view name) {
  static constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           marks.find(c) != std::string_view::npos;
  });
}

bool is_value(std::string_view value) {
  return std::ranges::all_of(value, [](char c) { return c == '\t' || (c >= 0x20 && c < 0x7f); });
}

bool is_own(std::string_view name) {
  using field = boost::beast::http::field;
  switch (boost::beast::http::string_to_field({name.data(), name.size()})) {
    case field::connection:
    case field::content_length:
    case field::content_type:
    case field::date:
    case field::trailer:
    case field::transfer_encoding:
    case field::upgrade:
      return true;
    default:
      return false;
  }
}

/// The time as HTTP writes it: "Sun, 06 Nov 1994 08:49:37 GMT".
std::string date_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  std::array<char, 64> text{};
  const auto size = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return {text.data(), size};
}

}  // namespace

std::string_view to_text(method verb) {
  for (const auto& [known, text] : methods) {
    if (known == verb) return text;
  }
  return "unknown method";
}

std::optional<method> parse_method(std::string_view text) {
  for (const auto& [known, name] : methods) {
    if (name == text) return known;
  }
  return std::nullopt;
}

std::optional<std::string_view> find(const name_values& in, std::string_view name) {
  for (const auto& [known, value] : in) {
    if (known == name) return value;
  }
  return std::nullopt;
}

response make_response(unsigned status, std::string content_type, std::string_view body) {
  response made{status, std::move(content_type), {}, nullptr};
  const auto view = as_bytes(body);
  made.body = std::make_shared<const bytes>(view.begin(), view.end());
  return made;
}

response error_response(unsigned status, std::string_view code, std::string_view message) {
  std::string body = R"({"error": {"code": )";
  body += json_text(code);
  body += R"(, "message": )";
  body += json_text(message);
  body += "}}\n";
  return make_response(status, "application/json", body);
}

response retry_response(unsigned status, std::string_view code, std::string_view message,
                        std::uint32_t retry_after_s) {
  auto made = error_response(status, code, message);
  made.headers.emplace_back("Retry-After", std::to_string(retry_after_s));
  return made;
}

std::optional<std::string> serialize_head(const response& head, const response_framing& framing,
                                          const name_values& common) {
  if (head.status < 100 || head.status > 599 || !is_value(head.content_type)) return std::nullopt;
  const auto reason =
      boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(head.status));
  std::string out = "HTTP/1.1 " + std::to_string(head.status) + ' ';
  out.append(reason.data(), reason.size());
  out += "\r\nDate: " + date_now() + "\r\n";
  if (!head.content_type.empty()) out += "Content-Type: " + head.content_type + "\r\n";
  for (const auto* headers : {&head.headers, &common}) {
    for (const auto& [name, value] : *headers) {
      if (!is_header_name(name) || !is_value(value) || is_own(name)) return std::nullopt;
      out.append(name).append(": ").append(value).append("\r\n");
    }
  }
  out += "X-Content-Type-Options: nosniff\r\n";
  if (framing.chunked) out += "Transfer-Encoding: chunked\r\n";
  // A response without content has no length either (RFC 9110).
  if (framing.length && head.status != 204 && head.status != 304 && head.status >= 200) {
    out += "Content-Length: " + std::to_string(*framing.length) + "\r\n";
  }
  if (framing.closes) out += "Connection: close\r\n";
  return out += "\r\n";
}

}  // namespace soma::http
