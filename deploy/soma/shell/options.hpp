// The options of one verb, declared once: where the value goes, what it is for, what it may be.
// Values arrive as text from the command line or from a configuration file; both ways share one
// conversion, so both refuse the same things alike.
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "deploy/soma/shell/failure.hpp"
#include "deploy/soma/shell/json.hpp"
#include "deploy/soma/shell/units.hpp"

namespace soma::cli {

struct option {
  std::string name;  // without dashes
  std::string help;
  std::string placeholder;  // "PATH", "N"
  char letter = 0;          // a second, short name: 'o' for -o
  std::vector<std::string> choices;
  bool is_flag = false;
  bool is_list = false;
  bool is_positional = false;
  bool is_required = false;
  bool is_given = false;  // on the command line or in the configuration

  /// Converts and stores; the text of a refusal, or nothing.
  std::function<std::optional<std::string>(const std::vector<std::string>&)> set;
  /// The value in force; null if it has none.
  std::function<json()> get;

  option& required() {
    is_required = true;
    return *this;
  }
  option& positional() {
    is_positional = true;
    return *this;
  }
  option& among(std::vector<std::string> values) {
    choices = std::move(values);
    return *this;
  }
  option& also(char short_name) {
    letter = short_name;
    return *this;
  }
  option& shown_as(std::string text) {
    placeholder = std::move(text);
    return *this;
  }
};

class option_set {
 public:
  // The variable keeps its value as the default. It must outlive the set.
  option& add(std::string_view name, bool& into, std::string_view help);
  option& add(std::string_view name, std::string& into, std::string_view help);
  option& add(std::string_view name, std::filesystem::path& into, std::string_view help);
  option& add(std::string_view name, std::uint32_t& into, std::string_view help);
  option& add(std::string_view name, std::uint64_t& into, std::string_view help);
  option& add(std::string_view name, std::int64_t& into, std::string_view help);
  option& add(std::string_view name, double& into, std::string_view help);
  option& add(std::string_view name, byte_count& into, std::string_view help);
  option& add(std::string_view name, std::vector<std::string>& into, std::string_view help);
  option& add(std::string_view name, std::vector<std::filesystem::path>& into,
              std::string_view help);
  template <class T>
  option& add(std::string_view name, std::optional<T>& into, std::string_view help);

  /// A table of the configuration that the verb reads by itself, such as [roles].
  void owns_table(std::string_view name) { tables_.emplace_back(name); }

  [[nodiscard]] std::deque<option>& all() { return options_; }
  [[nodiscard]] const std::deque<option>& all() const { return options_; }
  [[nodiscard]] const std::vector<std::string>& tables() const { return tables_; }
  [[nodiscard]] bool is_given(std::string_view name) const;

  /// Options that stand in `values` and were not given yet. `where` names the table in refusals.
  /// Unknown names are refused.
  [[nodiscard]] outcome apply(const json& values, std::string_view where);
  /// Every required option has a value.
  [[nodiscard]] outcome check_required(std::string_view verb) const;

 private:
  option& declare(std::string_view name, std::string_view help, std::string placeholder);
  std::deque<option> options_;  // a deque: references stay good
  std::vector<std::string> tables_;
};

template <class T>
option& option_set::add(std::string_view name, std::optional<T>& into, std::string_view help) {
  // The value is converted in a place of its own; the optional holds it once somebody has given it.
  auto inner = std::make_shared<T>(into.value_or(T{}));
  auto& o = add(name, *inner, help);
  o.set = [inner, &into, set = o.set](const std::vector<std::string>& texts) {
    auto refusal = set(texts);
    if (!refusal) into = *inner;
    return refusal;
  };
  o.get = [&into, inner, get = o.get]() -> json {
    if (!into) return {};
    *inner = *into;
    return get();
  };
  return o;
}

/// "max-seq" as it stands in a configuration: "max_seq".
[[nodiscard]] std::string config_name(std::string_view option_name);

}  // namespace soma::cli
