// Reads what `--json` printed, strictly: one document and nothing after it. Numbers stay text, so
// that a test can compare their exact digits.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace soma::support {

struct parsed_json {
  enum class kind { null, boolean, number, string, array, object } type = kind::null;
  std::string text;  // digits of a number, characters of a string, "true", "false"
  std::vector<parsed_json> elements;
  std::map<std::string, parsed_json> members;

  [[nodiscard]] bool has(const std::string& name) const { return members.contains(name); }
  /// Throws std::out_of_range if there is no such name.
  [[nodiscard]] const parsed_json& operator[](const std::string& name) const {
    return members.at(name);
  }
  [[nodiscard]] double number() const;
  [[nodiscard]] float binary32() const;
  [[nodiscard]] bool is_true() const { return type == kind::boolean && text == "true"; }
};

/// nullopt unless `text` is one JSON document (blanks around it are allowed) in which no object has
/// a name twice.
[[nodiscard]] std::optional<parsed_json> parse_json(std::string_view text);

}  // namespace soma::support
