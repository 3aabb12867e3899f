#include "deploy/soma/shell/config.hpp"

namespace soma::cli {
/// The parser asserts what some wrong files break, such as a name that begins with a dot. The
/// writer of a file must not be able to end the program, so an assertion is a refusal.
struct parser_gave_up {};
[[noreturn]] void give_up() {
  throw parser_gave_up();
}
}  // namespace soma::cli
#define TOML_ASSERT(expr) ((expr) ? void() : soma::cli::give_up())
#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "deploy/soma/shell/files.hpp"
#include "messages/values/utf8.hpp"

namespace soma::cli {
namespace {

constexpr std::uint64_t max_config_bytes = 1024 * 1024;

/// Tables and lists may lie this deep within each other. The parser, and whatever walks over its
/// result, needs memory on the stack for each level.
constexpr std::size_t max_depth = 64;

/// The place after the string whose opening quote is at `at`. A string of one line ends at the end
/// of its line at the latest: the parser refuses it there.
std::size_t end_of_string(std::string_view text, std::size_t at) {
  const char quote = text[at];
  const std::string three(3, quote);
  const bool is_long = text.substr(at, 3) == three;
  for (at += is_long ? 3 : 1; at < text.size(); ++at) {
    if (text[at] == '\\' && quote == '"') {
      ++at;
    } else if (is_long && text.substr(at, 3) == three) {
      at += 3;
      // Up to two quotes may stand before the three that end the string.
      for (int more = 0; more < 2 && at < text.size() && text[at] == quote; ++more) ++at;
      return at;
    } else if (!is_long && (text[at] == quote || text[at] == '\n')) {
      return at + (text[at] == quote ? 1 : 0);
    }
  }
  return text.size();
}

/// The line where tables and lists lie deeper than max_depth within each other, through brackets or
/// through names such as `a.b.c`; 0 if there is none. The parser would need memory on the stack for
/// each level, and it limits only the brackets.
std::size_t line_too_deep(std::string_view text) {
  // How many names each open bracket has before it; the first number is that of the line itself.
  std::vector<std::size_t> levels{1};
  std::size_t depth = 1, line = 1, next = 0;
  const auto restart = [&] {
    depth -= levels.back() - 1;
    levels.back() = 1;
  };
  for (std::size_t at = 0; at < text.size(); at = next) {
    const char c = text[at];
    next = at + 1;
    if (c == '"' || c == '\'') {
      next = std::min(end_of_string(text, at), text.size());
      line += static_cast<std::size_t>(std::ranges::count(text.substr(at, next - at), '\n'));
    } else if (c == '#') {
      next = std::min(text.find('\n', at), text.size());
    } else if (c == '\n') {
      ++line;
      if (levels.size() == 1) restart();
    } else if (c == ',') {
      restart();
    } else if (c == '.') {
      ++levels.back();
      ++depth;
    } else if (c == '[' || c == '{') {
      levels.push_back(1);
      ++depth;
    } else if ((c == ']' || c == '}') && levels.size() > 1) {
      depth -= levels.back();
      levels.pop_back();
    }
    if (depth > max_depth) return line;
  }
  return 0;
}

/// Turns what the parser read into a value. The first thing that no configuration may hold goes to
/// `refusal`.
json convert(const toml::node& node, std::string& refusal) {
  const auto line = node.source().begin.line;
  const auto refuse = [&](const char* why) {
    if (refusal.empty()) refusal = "line " + std::to_string(line) + ": " + why;
    return json();
  };
  json out;
  if (const auto* table = node.as_table()) {
    out = json::object();
    for (const auto& [key, value] : *table) {
      // A name is where a reader looks for it; a table that is made of several parts has no place
      // of its own.
      out.set(std::string(key.str()), convert(value, refusal).at_line(key.source().begin.line));
    }
  } else if (const auto* array = node.as_array()) {
    out = json::list();
    for (const auto& value : *array) out.push(convert(value, refusal));
  } else if (const auto* text = node.as_string()) {
    out = text->get();
  } else if (const auto* integer = node.as_integer()) {
    out = integer->get();
  } else if (const auto* number = node.as_floating_point()) {
    out = std::isfinite(number->get()) ? json(number->get()) : refuse("this is not a number");
  } else if (const auto* flag = node.as_boolean()) {
    out = flag->get();
  } else {
    out = refuse("a date or a time has no meaning here; write a text in quotes");
  }
  return out.at_line(line);
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
  const auto refused = [&](const std::string& why) {
    return failed("cannot read the configuration " + std::string(name), why,
                  "correct that line; `soma config show` prints every name");
  };
  if (const auto line = line_too_deep(text); line != 0) {
    return refused("line " + std::to_string(line) + ": a name has more than " +
                   std::to_string(max_depth) +
                   " parts, or tables and lists lie deeper within "
                   "each other");
  }
  try {
    const auto parsed = toml::parse(text);
    if (!parsed) {
      const auto& error = parsed.error();
      return refused("line " + std::to_string(error.source().begin.line) + ": " +
                     std::string(error.description()));
    }
    std::string refusal;
    auto content = convert(parsed.table(), refusal);
    if (!refusal.empty()) return refused(refusal);
    return content;
  } catch (const parser_gave_up&) {
    return refused("it has a name that no TOML file may have, such as [.a]");
  }
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
