#include "deploy/soma/shell/config.hpp"

#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>

namespace soma::cli {
namespace {

constexpr std::uintmax_t max_config_bytes = 1024 * 1024;

json convert(const toml::node& node) {
  if (const auto* table = node.as_table()) {
    json object = json::object();
    for (const auto& [key, value] : *table) object.set(std::string(key.str()), convert(value));
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
    values += value.is_null() ? "# " + toml_key(name) + " = (not set)\n"
                              : toml_key(name) + " = " + value.text() + "\n";
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
  const auto what = "cannot read the configuration " + path.string();
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  if (error) return failed(what, error.message(), "name a readable TOML file with --config");
  if (size > max_config_bytes)
    return failed(what, "it has more than 1 MiB", "check that it is the right file");
  std::ifstream file(path, std::ios::binary);
  if (!file) return failed(what, "it cannot be opened", "name a readable TOML file with --config");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  if (file.bad()) return failed(what, "reading failed", "check the disk");
  return parse_config(text, path.string());
}

std::string to_toml(const json& document) {
  std::string out;
  if (document.as_object() != nullptr) write_table(out, document, {});
  return out;
}

}  // namespace soma::cli
