#include "deploy/soma/usage.hpp"

#include <algorithm>
#include <utility>

namespace soma::cli {
namespace {

std::string help_of(std::string_view verb) {
  return "see `soma " + std::string(verb) + (verb.empty() ? "" : " ") + "--help`";
}

/// `names` are those of options, without dashes: dashes alone do not make two names alike.
failure no_option(std::string_view name, const std::vector<std::string>& names,
                  std::string_view verb) {
  const auto bare = name.substr(std::min(name.find_first_not_of('-'), name.size()));
  auto nearest = nearest_of(bare, names);
  if (!nearest.empty()) nearest.insert(nearest.rfind(' ') + 1, "--");
  return {"there is no option '" + std::string(name) + "'" + nearest, "", help_of(verb),
          exit_code::wrong_usage};
}

/// Goes over the options that may stand before the words of a verb. Stops at the first word that is
/// none. `asks_help` becomes true if one of them asks for help.
outcome skip_options(typed_words words, std::size_t& at, std::string_view group, bool& asks_help,
                     bool& asks_version) {
  for (; at < words.size() && words[at][0] == '-'; ++at) {
    const std::string_view word = words[at];
    const auto name = word.substr(0, word.find('='));
    if (name == "--home" || name == "--config") {
      if (name == word) ++at;  // the next word is its value
    } else if (name == "-h" || name == "--help") {
      asks_help = true;
    } else if (group.empty() && (name == "-V" || name == "--version")) {
      asks_version = true;
    } else if (name != "--json") {
      return make_unexpected(no_option(name, {"home", "config", "json", "help", "version"}, group));
    }
  }
  return {};
}

/// The refusal of a first word that is neither a verb nor a group of verbs.
failure no_verb(const std::string& word, const std::vector<bound_verb>& verbs) {
  std::vector<std::string> names;
  for (const auto& verb : verbs) {
    if (!word.empty() && second_word(verb.action->name()) == word) {
      return {"there is no verb '" + word + "'; the nearest is " + std::string(verb.action->name()),
              "", help_of(""), exit_code::wrong_usage};
    }
    names.push_back(first_word(verb.action->name()));
  }
  const bool is_option = word == "help" || word == "version";
  return {"there is no verb '" + word + "'" + (is_option ? "" : nearest_of(word, names)), "",
          is_option ? "write `soma --" + word + "`" : help_of(""), exit_code::wrong_usage};
}

}  // namespace

std::string first_word(std::string_view name) {
  return std::string(name.substr(0, name.find(' ')));
}

std::string second_word(std::string_view name) {
  const auto blank = name.find(' ');
  return blank == std::string_view::npos ? "" : std::string(name.substr(blank + 1));
}

outcome find_verb(typed_words words, const std::vector<bound_verb>& verbs, std::string& verb) {
  std::size_t at = 0;
  bool asks_help = false, asks_version = false;
  if (auto skipped = skip_options(words, at, "", asks_help, asks_version); !skipped) return skipped;
  if (asks_help) return {};
  if (asks_version) {
    if (at >= words.size()) return {};
    return wrong_usage("--version",
                       "'" + std::string(words[at]) +
                           "' stands after it, and it only "
                           "prints the version",
                       "leave one of them out");
  }
  if (at > words.size()) return {};  // the value of an option is missing, which the parser says
  if (at == words.size()) return wrong_usage("no verb was named", "", "`soma --help` lists them");
  const std::string first = words[at++];
  std::vector<std::string> seconds;
  for (const auto& one : verbs) {
    if (first_word(one.action->name()) == first) seconds.push_back(second_word(one.action->name()));
  }
  if (seconds.empty()) return make_unexpected(no_verb(first, verbs));
  if (seconds.front().empty()) {
    verb = first;
    return {};
  }
  if (auto skipped = skip_options(words, at, first, asks_help, asks_version); !skipped) {
    return skipped;
  }
  if (asks_help || at > words.size()) return {};
  if (at == words.size()) {
    std::string all;
    for (const auto& second : seconds) all += (all.empty() ? "" : ", ") + second;
    return wrong_usage("soma " + first, "one of its verbs is missing: " + all, help_of(first));
  }
  if (std::ranges::find(seconds, std::string(words[at])) == seconds.end()) {
    return wrong_usage(
        "there is no verb '" + first + " " + words[at] + "'" + nearest_of(words[at], seconds), "",
        help_of(first));
  }
  verb = first + " " + words[at];
  return {};
}

bool asks_for_json(typed_words words) {
  for (const std::string_view word : words) {
    if (word == "--") return false;
    if (word == "--json" || word == "--json=true") return true;
  }
  return false;
}

outcome check_flags(typed_words words, const std::vector<bound_verb>& verbs) {
  for (const std::string_view word : words) {
    if (word == "--") return {};
    const auto equals = word.find('=');
    if (!word.starts_with("--") || equals == std::string_view::npos) continue;
    const auto name = word.substr(2, equals - 2), value = word.substr(equals + 1);
    const bool is_flag = std::ranges::any_of(verbs, [&](const bound_verb& verb) {
      return std::ranges::any_of(verb.options->all(),
                                 [&](const option& o) { return o.is_flag && o.name == name; });
    });
    const bool is_bad_json = name == "json" && value != "true" && value != "false";
    if (is_bad_json || (is_flag && value.empty())) {
      return wrong_usage("--" + std::string(name), "write true or false", help_of(""));
    }
  }
  return {};
}

failure leftover(typed_words words, const std::vector<std::string>& unused,
                 const std::vector<bound_verb>& verbs, std::string_view verb) {
  std::vector<std::string> names{"home", "config", "json", "help"};
  for (const auto& one : verbs) {
    if (one.action->name() != verb) continue;
    for (const auto& o : one.options->all()) {
      if (!o.is_positional) names.push_back(o.name);
      names.insert(names.end(), o.other_names.begin(), o.other_names.end());
    }
  }
  std::string extra;
  bool only_words = false;  // after "--" nothing is an option
  for (const std::string_view word : words) {
    if (word == "--" && !std::exchange(only_words, true)) continue;
    if (std::ranges::find(unused, word) == unused.end()) continue;
    if (!only_words && word.size() > 1 && word.front() == '-') {
      return no_option(word.substr(0, word.find('=')), names, verb);
    }
    if (extra.empty()) extra = word;
  }
  if (extra.empty() && !unused.empty()) extra = unused.front();
  return {"soma " + std::string(verb), "'" + extra + "' is one word too many", help_of(verb),
          exit_code::wrong_usage};
}

failure wrong_count(std::string_view told, std::string_view verb) {
  const std::string name(told.substr(0, told.find(':')));
  const bool is_many = told.find("At Most") != std::string_view::npos;
  return {name, is_many ? "it is given more than once" : "its value is missing", help_of(verb),
          exit_code::wrong_usage};
}

}  // namespace soma::cli
