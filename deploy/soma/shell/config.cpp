#include "deploy/soma/shell/config.hpp"

#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>

#include <algorithm>
#include <sstream>

#include "deploy/soma/shell/files.hpp"
#include "messages/values/utf8.hpp"

namespace soma::cli {
namespace {

constexpr std::uint64_t max_config_bytes = 1024 * 1024;

/// Tables may lie this deep within each other. The parser calls itself for each.
constexpr int max_depth = 64;

/// The line of the first name that has more than max_depth parts, as `a.b.c` has three; 0 if there
/// is none. The parser would need memory on the stack for each part.
std::uint32_t line_of_long_name(std::string_view text) {
  std::uint32_t line = 1;
  int parts = 1;
  char quote = 0;
  for (const char c : text) {
    if (c == '\n') {
      ++line;
      parts = 1;
      quote = 0;
    } else if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '.') {
      if (++parts > max_depth) return line;
    } else if (c == ',' || c == '=' || c == '[' || c == '{' || c == '#') {
      parts = 1;
    }
  }
  return 0;
}

json convert(const toml::node& node);

json convert_content(const toml::node& node) {
  if (const auto* table = node.as_table()) {
    json object = json::object();
    for (const auto& [key, value] : *table) {
      // A name is where a reader looks for it; a table that is made of several parts has no place
      // of its own.
      object.set(std::string(key.str()), convert(value).at_line(key.source().begin.line));
    }
    return object;
  }
  if (const auto* array = node.as_array()) {
    json list = json::list();
    for (const auto& value : *array) list.push(convert(value));
    return list;
  }
  if (const auto* value = node.as_string()) return value->get();
  if (const auto* value = node.as_integer()) return value->get();
  if (const auto* value = node.as_floating_point()) return value->get();
  if (const auto* value = node.as_boolean()) return value->get();
  std::ostringstream text;
  node.visit([&](const auto& value) {
    if constexpr (toml::is_chronological<decltype(value)>) text << value.get();
  });
  return text.str();
}

json convert(const toml::node& node) {
  auto content = convert_content(node);
  content.at_line(node.source().begin.line);
  return content;
}

bool is_bare(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
}

std::string toml_key(std::string_view name) {
  return is_bare(name) ? std::string(name) : json(name).text();
}

void write_table(std::string& out, const json& table, const std::string& path) {
  std::string values;
  for (const auto& [name, value] : *table.as_object()) {
    if (value.as_object() != nullptr) continue;
    // TOML has integers of 64 bits, where JSON has strings.
    const auto text = value.is_integer() ? value.plain() : value.text();
    const auto* string = value.as_string();
    if (value.is_null()) {
      values += "# " + toml_key(name) + " = (not set)\n";
    } else if (string != nullptr && !is_utf8(*string)) {
      values += "# " + toml_key(name) + " = (TOML cannot hold these bytes) " + text + "\n";
    } else {
      values += toml_key(name) + " = " + text + "\n";
    }
  }
  if (!values.empty() && !path.empty()) out += (out.empty() ? "[" : "\n[") + path + "]\n";
  out += values;
  for (const auto& [name, value] : *table.as_object()) {
    if (value.as_object() == nullptr) continue;
    write_table(out, value, path.empty() ? toml_key(name) : path + "." + toml_key(name));
  }
}

}  // namespace

expected<json, failure> parse_config(std::string_view text, std::string_view name) {
  if (const auto line = line_of_long_name(text); line != 0) {
    return failed("cannot read the configuration " + std::string(name),
                  "line " + std::to_string(line) + ": a name has more than " +
                      std::to_string(max_depth) + " parts",
                  "correct that line");
  }
  const auto parsed = toml::parse(text);
  if (!parsed) {
    const auto& error = parsed.error();
    return failed("cannot read the configuration " + std::string(name),
                  "line " + std::to_string(error.source().begin.line) + ": " +
                      std::string(error.description()),
                  "correct that line; `soma config show` prints every name");
  }
  return convert(parsed.table());
}

expected<json, failure> read_config(const std::filesystem::path& path) {
  const auto content = read_named_file(path, max_config_bytes, "the configuration");
  if (!content) return make_unexpected(content.error());
  return parse_config({reinterpret_cast<const char*>(content->data()), content->size()},
                      path.string());
}

std::string line_of(const json& value) {
  return value.line() == 0 ? "" : "line " + std::to_string(value.line()) + ": ";
}

std::string to_toml(const json& document) {
  std::string out;
  if (document.as_object() != nullptr) write_table(out, document, {});
  return out;
}

}  // namespace soma::cli
