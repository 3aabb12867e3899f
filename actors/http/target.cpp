#include "actors/http/target.hpp"

#include <optional>

#include "messages/values/utf8.hpp"

namespace soma::http {
namespace {

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

std::optional<unsigned> hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

std::optional<std::string> decoded(std::string_view text, bool in_query) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '+' && in_query) c = ' ';
    if (c == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const auto high = hex_digit(text[i + 1]);
      const auto low = hex_digit(text[i + 2]);
      if (!high || !low) return std::nullopt;
      c = static_cast<char>(*high << 4U | *low);
      i += 2;
      if (!in_query && (c == '/' || c == '\\')) return std::nullopt;
    }
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) return std::nullopt;
    out += c;
  }
  if (!is_utf8(out)) return std::nullopt;
  return out;
}

bool has_odd_part(std::string_view path) {
  path.remove_prefix(1);
  while (true) {
    const auto end = path.find('/');
    const auto part = path.substr(0, end);
    if (part == "." || part == "..") return true;
    if (end == std::string_view::npos) return false;
    if (part.empty()) return true;
    path.remove_prefix(end + 1);
  }
}

}  // namespace

expected<target, std::string_view> parse_target(std::string_view text) {
  constexpr std::string_view bad_escape =
      "the target has an escape that is none, or hides a character that must not be hidden";
  if (text.empty() || text.front() != '/') {
    return make_unexpected(std::string_view("the target must be a path that begins with '/'"));
  }
  if (text.find('#') != std::string_view::npos || text.find('\\') != std::string_view::npos) {
    return make_unexpected(std::string_view("a target has neither '#' nor '\\'"));
  }
  target made;
  const auto mark = text.find('?');
  auto path = decoded(text.substr(0, mark), false);
  if (!path) return make_unexpected(bad_escape);
  if (has_odd_part(*path)) {
    return make_unexpected(std::string_view("a part of the path is empty, '.' or '..'"));
  }
  made.path = std::move(*path);
  if (mark == std::string_view::npos) return made;
  auto rest = text.substr(mark + 1);
  while (!rest.empty()) {
    const auto part = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
    if (part.empty()) continue;
    const auto equals = part.find('=');
    auto name = decoded(part.substr(0, equals), true);
    auto value = decoded(
        equals == std::string_view::npos ? std::string_view() : part.substr(equals + 1), true);
    if (!name || !value) return make_unexpected(bad_escape);
    if (made.query.size() == max_parameters) {
      return make_unexpected(std::string_view("the target has more than 64 parameters"));
    }
    made.query.emplace_back(std::move(*name), std::move(*value));
  }
  return made;
}

std::string escape(std::string_view text) {
  static constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (is_plain(c)) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += digits[byte >> 4U];
    out += digits[byte & 15U];
  }
  return out;
}

}  // namespace soma::http
