#include "messages/json/json.hpp"

#include <charconv>
#include <cmath>

#include "messages/values/assert.hpp"
#include "messages/values/bytes.hpp"
#include "messages/values/utf8.hpp"

namespace soma::json {
namespace {

// The length in bytes of the UTF-8 character at the start of `text`; 0 if there is no valid one.
// Overlong forms and surrogates are not valid.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto continues = [&](std::size_t i) {
    return i < text.size() && (byte(i) & 0xc0U) == 0x80U;
  };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return continues(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    if (!continues(1) || !continues(2)) return 0;
    if (first == 0xe0 && byte(1) < 0xa0) return 0;
    if (first == 0xed && byte(1) >= 0xa0) return 0;
    return 3;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    if (!continues(1) || !continues(2) || !continues(3)) return 0;
    if (first == 0xf0 && byte(1) < 0x90) return 0;
    if (first == 0xf4 && byte(1) >= 0x90) return 0;
    return 4;
  }
  return 0;
}

void write_string(std::string& out, std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  out += '"';
  while (!text.empty()) {
    const auto length = utf8_length(text);
    const auto c = static_cast<unsigned char>(text.front());
    if (length == 0) {
      out += "\\ufffd";
    } else if (c == '"' || c == '\\') {
      out += '\\';
      out += text.front();
    } else if (c == '\n') {
      out += "\\n";
    } else if (c < 0x20 || c == 0x7f) {
      out += "\\u00";
      out += digits[c >> 4U];
      out += digits[c & 15U];
    } else if (c == 0xc2 && static_cast<unsigned char>(text[1]) < 0xa0) {
      // U+0080 to U+009F: some terminals obey them.
      out += "\\u00";
      out += digits[static_cast<unsigned char>(text[1]) >> 4U];
      out += digits[static_cast<unsigned char>(text[1]) & 15U];
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  out += '"';
}

constexpr std::int64_t largest_exact_integer = (std::int64_t{1} << 53) - 1;  // in a binary64

bool is_exact(std::int64_t from) {
  return from >= -largest_exact_integer && from <= largest_exact_integer;
}
bool is_exact(std::uint64_t from) {
  return from <= static_cast<std::uint64_t>(largest_exact_integer);
}

template <class Number>
void write_number(std::string& out, Number from) {
  if constexpr (std::is_floating_point_v<Number>) {
    if (!std::isfinite(from)) {
      out += "null";
      return;
    }
  }
  char buffer[64];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, from).ptr;
  const std::string_view text(buffer, static_cast<std::size_t>(end - buffer));
  out += text;
  if (std::is_floating_point_v<Number> && text.find_first_of(".e") == std::string_view::npos) {
    out += ".0";
  }
}

/// The bytes of a string that is not UTF-8, in hex; null for any other value.
value lost_bytes(const value& from) {
  const auto* string = from.as_string();
  if (string == nullptr || is_utf8(*string)) return {};
  return to_hex(as_bytes(*string));
}

/// What NAME_hex holds; null if no byte of the member NAME was replaced.
value hex_of(const value& from) {
  const auto* list = from.as_array();
  if (list == nullptr) return lost_bytes(from);
  value all = value::list();
  bool is_lost = false;
  for (const auto& element : *list) {
    all.push(lost_bytes(element));
    is_lost = is_lost || !all.as_array()->back().is_null();
  }
  return is_lost ? all : value();
}

template <class... Cases>
struct overloaded : Cases... {
  using Cases::operator()...;
};
template <class... Ts>
overloaded(Ts...) -> overloaded<Ts...>;

}  // namespace

value& value::set(std::string name, value from) {
  if (is_null()) value_ = object();
  SOMA_ASSERT(as_object() != nullptr, "members belong to objects");
  std::get<object>(value_).emplace_back(std::move(name), std::move(from));
  return *this;
}

value& value::push(value from) {
  if (is_null()) value_ = array();
  SOMA_ASSERT(as_array() != nullptr, "elements belong to arrays");
  std::get<array>(value_).push_back(std::move(from));
  return *this;
}

bool value::is_number() const {
  return std::holds_alternative<std::int64_t>(value_) ||
         std::holds_alternative<std::uint64_t>(value_) || std::holds_alternative<float>(value_) ||
         std::holds_alternative<double>(value_);
}

double value::number() const {
  return std::visit(overloaded{[](std::int64_t v) { return static_cast<double>(v); },
                               [](std::uint64_t v) { return static_cast<double>(v); },
                               [](float v) { return static_cast<double>(v); },
                               [](double v) { return v; }, [](const auto&) { return 0.0; }},
                    value_);
}

std::pair<bool, std::uint64_t> value::unsigned_integer() const {
  if (const auto* u = std::get_if<std::uint64_t>(&value_)) return {true, *u};
  if (const auto* i = std::get_if<std::int64_t>(&value_); i != nullptr && *i >= 0) {
    return {true, static_cast<std::uint64_t>(*i)};
  }
  return {false, 0};
}

const value* value::find(std::string_view name) const {
  const auto* members = as_object();
  if (members == nullptr) return nullptr;
  for (const auto& [key, from] : *members) {
    if (key == name) return &from;
  }
  return nullptr;
}

const value* value::find_path(std::string_view dotted) const {
  const value* here = this;
  while (here != nullptr && !dotted.empty()) {
    const auto dot = dotted.find('.');
    here = here->find(dotted.substr(0, dot));
    dotted.remove_prefix(dot == std::string_view::npos ? dotted.size() : dot + 1);
  }
  return here;
}

std::string value::text() const {
  std::string out;
  std::visit(
      overloaded{[&](std::monostate) { out = "null"; }, [&](bool v) { out = v ? "true" : "false"; },
                 [&](const std::string& v) { write_string(out, v); },
                 [&](const array& all) {
                   out = "[";
                   for (const auto& v : all) out += (out.size() > 1 ? ", " : "") + v.text();
                   out += "]";
                 },
                 [&](const object& all) {
                   out = "{";
                   for (const auto& [name, v] : all) {
                     if (out.size() > 1) out += ", ";
                     write_string(out, name);
                     out += ": " + v.text();
                     const auto hex = hex_of(v);
                     if (hex.is_null()) continue;
                     out += ", ";
                     write_string(out, name + "_hex");
                     out += ": " + hex.text();
                   }
                   out += "}";
                 },
                 [&](std::int64_t v) { out = is_exact(v) ? plain() : '"' + plain() + '"'; },
                 [&](std::uint64_t v) { out = is_exact(v) ? plain() : '"' + plain() + '"'; },
                 [&](auto v) { write_number(out, v); }},
      value_);
  return out;
}

std::string value::plain() const {
  if (const auto* string = as_string()) return *string;
  std::string out;
  if (const auto* integer = std::get_if<std::int64_t>(&value_)) write_number(out, *integer);
  if (const auto* integer = std::get_if<std::uint64_t>(&value_)) write_number(out, *integer);
  return out.empty() ? text() : out;
}

}  // namespace soma::json
