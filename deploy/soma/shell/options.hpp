// The options of one verb. Each is declared once: where its value goes, what it is for and which
// values it may have. Values come as text from the command line or from a configuration file. Both
// use the same conversion, so both refuse the same values with the same words.
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

/// What a configuration file may hold for an option. On a command line everything is text.
enum class value_kind : std::uint8_t { text, flag, integer, number, size, path };

struct option {
  std::string name;  // without dashes
  std::string help;
  std::string placeholder;  // "PATH", "N"
  char letter = 0;          // a second, short name: 'o' for -o
  std::vector<std::string> choices;
  value_kind kind = value_kind::text;
  std::vector<std::string> other_names;  // --out, where --output-dir is the name
  bool is_flag = false;
  bool is_list = false;
  bool is_positional = false;
  bool is_required = false;
  bool is_given = false;  // true once the command line or the configuration has set it
  std::vector<std::string> contradicted_by;  // names of options that make this one meaningless

  /// Converts the texts and stores the value. Returns the reason if it refuses them, else nullopt.
  std::function<std::optional<std::string>(const std::vector<std::string>&)> set;
  /// The present value; null if there is none.
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
  /// A second name on the command line. A positional option with its own name here may be given as
  /// an option, too.
  option& also_named(std::string other) {
    other_names.push_back(std::move(other));
    return *this;
  }
  /// A command that gives both options is refused: nobody can say which one counts.
  option& contradicts(std::string other) {
    contradicted_by.push_back(std::move(other));
    return *this;
  }
  option& shown_as(std::string text) {
    placeholder = std::move(text);
    return *this;
  }
};

class option_set {
 public:
  // add() declares an option that stores its value in `into`. The present value of that variable is
  // the default. The variable must live longer than the set.
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

  /// Declares a table of the configuration that the verb reads by itself, such as [roles].
  void owns_table(std::string_view name) { tables_.emplace_back(name); }

  [[nodiscard]] std::deque<option>& all() { return options_; }
  [[nodiscard]] const std::deque<option>& all() const { return options_; }
  [[nodiscard]] const std::vector<std::string>& tables() const { return tables_; }
  [[nodiscard]] bool is_given(std::string_view name) const;

  /// Sets the options that are members of `values` and have not been given yet. Refuses a name that
  /// is no option, an option that is given under both its spellings, a value of another type than
  /// the option's, and two options that contradict each other. A text may be written as a whole
  /// number too, such as an amount, and a list with one element as that element. Refusals call the
  /// table `where`.
  [[nodiscard]] outcome apply(const json& values, std::string_view where);
  /// Refuses if a required option was not given, or two options that contradict each other were.
  /// The refusal names `verb`.
  [[nodiscard]] outcome check_given(std::string_view verb) const;

 private:
  option& declare(std::string_view name, std::string_view help, std::string placeholder,
                  value_kind kind);
  std::deque<option> options_;  // a deque, since add() hands out references that must stay valid
  std::vector<std::string> tables_;
};

template <class T>
option& option_set::add(std::string_view name, std::optional<T>& into, std::string_view help) {
  // `inner` is where the text is converted to. The optional gets the value only once the option is
  // given, so that an option that was not given stays empty.
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

/// "; the nearest is X" when one of `names` differs from `name` in few characters, else an empty
/// text. Refusals of unknown names end with it.
[[nodiscard]] std::string nearest_of(std::string_view name, const std::vector<std::string>& names);

/// The name of an option in a configuration file: "max_seq" for --max-seq.
[[nodiscard]] std::string config_name(std::string_view option_name);

}  // namespace soma::cli
