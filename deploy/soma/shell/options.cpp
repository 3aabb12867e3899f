#include "deploy/soma/shell/options.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "deploy/soma/shell/config.hpp"
#include "deploy/soma/shell/files.hpp"
#include "deploy/soma/shell/start_folder.hpp"

namespace soma::cli {
namespace {

using texts = std::vector<std::string>;
using refusal = std::optional<std::string>;

refusal read(const std::string& text, std::string& into) {
  into = text;
  return {};
}

refusal read(const std::string& text, std::filesystem::path& into) {
  if (text.empty()) return "a path cannot be empty";
  if (text.find('\0') != std::string::npos) return "a path cannot hold a zero byte";
  into = expanded(text);
  if (!into.is_absolute() && is_start_folder_gone()) return std::string(start_folder_gone);
  return {};
}

refusal read(const std::string& text, byte_count& into) {
  const auto size = parse_size(text);
  if (!size) return "'" + text + "' is not a size; write 4096, 512KiB or 2GiB";
  into = *size;
  return {};
}

template <class Number>
requires std::is_arithmetic_v<Number> refusal read(const std::string& text, Number& into) {
  Number number{};
  const auto* end = text.data() + text.size();
  const auto done = std::from_chars(text.data(), end, number);
  const char* wanted = std::is_floating_point_v<Number> ? "a number"
                       : std::is_signed_v<Number>       ? "a whole number"
                                                        : "a whole number from 0";
  if (done.ec == std::errc::result_out_of_range) return "'" + text + "' is too large";
  if (done.ec != std::errc() || done.ptr != end) return "'" + text + "' is not " + wanted;
  if constexpr (std::is_floating_point_v<Number>) {
    if (!std::isfinite(number)) return "'" + text + "' is not " + wanted;
  }
  into = number;
  return {};
}

json shown(const std::string& value) {
  return value.empty() ? json() : json(value);
}
json shown(const std::filesystem::path& value) {
  return shown(value.string());
}
json shown(byte_count value) {
  return value.value;
}
template <class Number>
requires std::is_arithmetic_v<Number> json shown(Number value) {
  return value;
}

refusal check_choice(const option& o, const std::string& text) {
  if (o.choices.empty() || std::ranges::find(o.choices, text) != o.choices.end()) return {};
  std::string all;
  for (const auto& choice : o.choices) all += (all.empty() ? "" : ", ") + choice;
  return "'" + text + "' is not one of: " + all;
}

/// True for a flag that is false: it contradicts nothing.
bool is_off(const option& o) {
  const auto value = o.get();
  return value.as_bool() != nullptr && !*value.as_bool();
}

/// The least number of characters to insert, delete or replace that makes `b` of `a`.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 0; i < a.size(); ++i) {
    auto diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const auto replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = std::exchange(row[j + 1], std::min({row[j] + 1, row[j + 1] + 1, replaced}));
    }
  }
  return row.back();
}

/// The values in a configuration for one option: those of a list, or the one value.
std::vector<const json*> elements_of(const json& value, bool is_list) {
  if (!is_list || value.as_array() == nullptr) return {&value};
  std::vector<const json*> all;
  for (const auto& element : *value.as_array()) all.push_back(&element);
  return all;
}

/// The refusal of a value in a configuration whose type is not that of the option.
refusal wrong_type(const json& value, value_kind kind) {
  if (value.as_object() != nullptr) return "it is a table, and this option has a value";
  if (value.as_array() != nullptr) return "it is a list, and this option has one value";
  const bool is_text = value.as_string() != nullptr;
  const bool is_flag = value.as_bool() != nullptr;
  switch (kind) {
    case value_kind::flag:
      return is_flag ? refusal{} : "write true or false, without quotes";
    case value_kind::integer:
      return value.is_integer() ? refusal{} : "write a whole number, without quotes";
    case value_kind::number:
      return value.is_number() ? refusal{} : "write a number, without quotes";
    case value_kind::size:
      return is_text || value.is_integer() ? refusal{} : "write a size, such as \"512 KiB\"";
    case value_kind::path:
      return is_text ? refusal{} : "write a path in quotes";
    case value_kind::text:
      // A number with a fraction may have been rounded when it was read, and an amount must not be.
      return is_text || value.is_integer() ? refusal{} : "write a text in quotes";
  }
  return {};
}

template <class T>
void bind_one(option& o, T& into) {
  o.set = [&o, &into](const texts& given) -> refusal {
    if (given.size() != 1)
      return "one value is needed, but " + std::to_string(given.size()) + " were given";
    if (auto no = check_choice(o, given[0])) return no;
    return read(given[0], into);
  };
  o.get = [&into] { return shown(into); };
}

template <class T>
void bind_list(option& o, std::vector<T>& into) {
  o.is_list = true;
  o.set = [&o, &into](const texts& given) -> refusal {
    std::vector<T> all;
    for (const auto& text : given) {
      if (auto no = check_choice(o, text)) return no;
      if (auto no = read(text, all.emplace_back())) return no;
    }
    into = std::move(all);
    return {};
  };
  o.get = [&into] {
    auto list = json::list();
    for (const auto& value : into) list.push(shown(value));
    return list;
  };
}

}  // namespace

option& option_set::declare(std::string_view name, std::string_view help, std::string placeholder,
                            value_kind kind) {
  auto& o = options_.emplace_back();
  o.name = name;
  o.kind = kind;
  o.help = help;
  o.placeholder = std::move(placeholder);
  return o;
}

option& option_set::add(std::string_view name, bool& into, std::string_view help) {
  auto& o = declare(name, help, "", value_kind::flag);
  o.is_flag = true;
  o.set = [&into](const texts& given) -> refusal {
    if (given.size() != 1 || (given[0] != "true" && given[0] != "false"))
      return "write true or false";
    into = given[0] == "true";
    return {};
  };
  o.get = [&into] { return json(into); };
  return o;
}

#define SOMA_ONE(TYPE, SHOWN, KIND)                                                   \
  option& option_set::add(std::string_view name, TYPE& into, std::string_view help) { \
    auto& o = declare(name, help, SHOWN, value_kind::KIND);                           \
    bind_one(o, into);                                                                \
    return o;                                                                         \
  }
SOMA_ONE(std::string, "TEXT", text)
SOMA_ONE(std::filesystem::path, "PATH", path)
SOMA_ONE(std::uint32_t, "N", integer)
SOMA_ONE(std::uint64_t, "N", integer)
SOMA_ONE(std::int64_t, "N", integer)
SOMA_ONE(double, "X", number)
SOMA_ONE(byte_count, "SIZE", size)
#undef SOMA_ONE

option& option_set::add(std::string_view name, std::vector<std::string>& into,
                        std::string_view help) {
  auto& o = declare(name, help, "TEXT", value_kind::text);
  bind_list(o, into);
  return o;
}

option& option_set::add(std::string_view name, std::vector<std::filesystem::path>& into,
                        std::string_view help) {
  auto& o = declare(name, help, "PATH", value_kind::path);
  bind_list(o, into);
  return o;
}

bool option_set::is_given(std::string_view name) const {
  return std::ranges::any_of(options_,
                             [&](const option& o) { return o.name == name && o.is_given; });
}

outcome option_set::apply(const json& values, std::string_view where) {
  const auto* members = values.as_object();
  if (members == nullptr) {
    return failed("the configuration's " + std::string(where),
                  line_of(values) + "it is not a table",
                  "write it as [" + std::string(where) + "]");
  }
  std::vector<std::pair<const option*, const json*>> seen;
  for (const auto& [name, value] : *members) {
    const auto found = std::ranges::find_if(options_, [&name](const option& o) {
      const auto means = [&name](const std::string& known) {
        return known == name || config_name(known) == name;
      };
      return (!o.is_positional && means(o.name)) || std::ranges::any_of(o.other_names, means);
    });
    const auto what = "the configuration's " + std::string(where) + "." + name;
    if (found == options_.end()) {
      std::vector<std::string> names;
      for (const auto& o : options_) {
        if (!o.is_positional) names.push_back(config_name(o.name));
      }
      return failed(what, line_of(value) + "there is no such option" + nearest_of(name, names),
                    "`soma config show` prints every name");
    }
    const auto refused = [&](const json& at, const std::string& why) {
      return failed(what, line_of(at) + why, "correct the configuration");
    };
    for (const auto& [before, at] : seen) {
      if (before == &*found)
        return refused(value, "it is given twice, once with - and once with _");
    }
    seen.emplace_back(&*found, &value);
    texts given;
    for (const auto* one : elements_of(value, found->is_list)) {
      if (const auto no = wrong_type(*one, found->kind)) return refused(*one, *no);
      given.push_back(one->plain());
    }
    // What the command line has set counts, and the configuration has to be right all the same.
    const auto no = found->is_given ? refusal{} : found->set(given);
    if (no) return refused(value, *no);
    // An empty list gives nothing, so it does not stand for an option that is required.
    if (!given.empty()) found->is_given = true;
  }
  for (const auto& [one, at] : seen) {
    for (const auto& [other, ignored] : seen) {
      const auto& others = one->contradicted_by;
      if (std::ranges::find(others, other->name) == others.end()) continue;
      if (is_off(*one) || is_off(*other)) continue;
      return failed("the configuration's " + std::string(where) + "." + config_name(one->name),
                    line_of(*at) + "it contradicts " + config_name(other->name),
                    "leave one of them out");
    }
  }
  return {};
}

outcome option_set::check_given(std::string_view verb) const {
  for (const auto& o : options_) {
    for (const auto& other : o.contradicted_by) {
      if (o.is_given && !is_off(o) && is_given(other)) {
        return wrong_usage("--" + o.name + " and --" + other, "they contradict each other",
                           "leave one of them out");
      }
    }
    if (!o.is_required || o.is_given) continue;
    const auto shown_name = o.is_positional ? o.placeholder : "--" + o.name;
    return wrong_usage(std::string(verb) + " needs " + shown_name, o.help,
                       "see `soma " + std::string(verb) + " --help`");
  }
  return {};
}

std::string nearest_of(std::string_view name, const std::vector<std::string>& names) {
  std::size_t least = 1 + name.size() / 3;  // more edits than this make another word
  const std::string* nearest = nullptr;
  for (const auto& candidate : names) {
    // As many edits are needed at least. A long name is not compared letter by letter.
    if (name.size() > candidate.size() + least) continue;
    const auto edits = edit_distance(name, candidate);
    if (edits > least || (nearest != nullptr && edits == least)) continue;
    least = edits;
    nearest = &candidate;
  }
  return nearest == nullptr ? "" : "; the nearest is " + *nearest;
}

std::string config_name(std::string_view option_name) {
  std::string name(option_name);
  std::ranges::replace(name, '-', '_');
  return name;
}

}  // namespace soma::cli
