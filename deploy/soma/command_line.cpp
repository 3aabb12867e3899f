#include "deploy/soma/command_line.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <map>

#include "deploy/soma/commit.hpp"
#include "deploy/soma/shell/config.hpp"
#include "deploy/soma/shell/console.hpp"
#include "deploy/soma/shell/files.hpp"
#include "deploy/soma/shell/start_folder.hpp"
#include "deploy/soma/source/node_config.hpp"
#include "deploy/soma/usage.hpp"
#include "deploy/soma/verbs.hpp"
#include "deploy/soma/wrapped_help.hpp"

namespace soma::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t max_help_columns = 100;  // longer lines are hard to read on any terminal

// What CLI11 collects for one option: the words as they were typed.
struct collected {
  option* into = nullptr;
  std::vector<std::string> words;
  CLI::Option* seen = nullptr;
};

struct attached_verb {
  bound_verb* verb = nullptr;
  CLI::App* app = nullptr;
  std::deque<collected> words;
};

struct globals {
  std::string home, config;
  bool wants_json = false;
};

std::string not_empty(const std::string& text) {
  return text.empty() ? "a path cannot be empty" : "";
}

/// What takes the value of an option that may stand before and behind the verb, but has one value.
std::function<void(const std::string&)> once(std::string name, std::string& into) {
  return [name = std::move(name), &into](const std::string& value) {
    if (!into.empty() && into != value)
      throw CLI::ValidationError(name, "it is given more than once");
    into = value;
  };
}

void add_globals(CLI::App& app, globals& into) {
  app.add_option_function("--home", once("--home", into.home),
                          "folder for keys, state and blobs (SOMA_HOME, default ~/.soma)")
      ->type_name("PATH")
      ->check(not_empty);
  app.add_option_function(
         "--config", once("--config", into.config),
         "TOML file with options, with home, whose path is relative to the file's folder, and with "
         "join and network for all commands (default: config.toml in the home)")
      ->type_name("FILE")
      ->check(not_empty);
  app.add_flag("--json", into.wants_json, "print one JSON document on the standard output");
}

void attach_options(attached_verb& attached) {
  for (auto& o : attached.verb->options->all()) {
    auto& words = attached.words.emplace_back();
    words.into = &o;
    auto name = o.is_positional ? o.name : "--" + o.name;
    if (o.letter != 0) name = std::string("-") + o.letter + "," + name;
    for (const auto& other : o.other_names) name += ",--" + other;
    auto help = o.help;
    if (!o.choices.empty()) {
      help += " (";
      for (const auto& choice : o.choices) help += (&choice == &o.choices[0] ? "" : ", ") + choice;
      help += ")";
    }
    const auto value = o.get();
    const auto* list = value.as_array();
    if (o.is_required) {
      help += " [required]";
    } else if (!o.is_flag && !value.is_null() && (list == nullptr || !list->empty())) {
      help += " [" + value.plain() + "]";
    }
    if (o.is_flag) {
      // Without as_const, CLI11 takes `help` for the variable that receives the flag's value.
      words.seen = attached.app->add_flag(name, std::as_const(help));
      continue;
    }
    words.seen = attached.app->add_option(name, words.words, help);
    words.seen->type_name(o.placeholder);
    // Each option takes one word, so that a second positional option gets the second word.
    if (!o.is_list) words.seen->expected(1)->allow_extra_args(false);
  }
}

std::string indented(std::string_view text) {
  std::string out = "  ";
  for (const char c : text) {
    out += c;
    if (c == '\n') out += "  ";
  }
  return out;
}

// Each word of a verb becomes a CLI11 subcommand; a group such as `model` holds its verbs.
std::deque<attached_verb> attach_verbs(CLI::App& app, std::vector<bound_verb>& verbs,
                                       globals& into) {
  static const std::map<std::string, std::string> group_summaries{
      {"model", "make, train, score and publish models"},
      {"genesis", "what a network starts with"},
      {"wallet", "keys, balances, and sending SOMA"},
      {"stake", "SOMA in the pools of validators and models"},
      {"validator", "a seat in the committee"},
      {"target", "the targets for which data is wanted"},
      {"bench", "how fast the program is, compared with a peer in the same run"},
      {"config", "the configuration in force"},
      {"node", "the roles of this machine, and its certificates"},
      {"sim", "simulated networks in which everything goes wrong"},
  };
  std::deque<attached_verb> attached;
  std::map<std::string, CLI::App*> groups;
  for (auto& verb : verbs) {
    const auto name = verb.action->name();
    const auto group_name = first_word(name);
    const auto word = second_word(name);
    CLI::App* parent = &app;
    if (!word.empty()) {
      auto& group = groups[group_name];
      if (group == nullptr) {
        const auto summary = group_summaries.find(group_name);
        group =
            app.add_subcommand(group_name, summary == group_summaries.end() ? "" : summary->second);
        group->require_subcommand(1);
        const auto example = verb.action->example();
        group->footer("Example:\n" + indented(example.substr(0, example.find('\n'))));
        add_globals(*group, into);
      }
      parent = group;
    }
    auto& one = attached.emplace_back();
    one.verb = &verb;
    one.app = parent->add_subcommand(word.empty() ? group_name : word,
                                     std::string(verb.action->summary()));
    one.app->footer("Example:\n" + indented(verb.action->example()));
    add_globals(*one.app, into);
    attach_options(one);
  }
  return attached;
}

// CLI11 takes a value in brackets, such as the address [::1] or a file called [a,b], for a list and
// splits it. A character in front of the bracket keeps the value as it is, until unmarked().
constexpr char mark = '\x01';

std::string marked(std::string word) {
  const auto sign = word.starts_with("--") ? word.find('=') : std::string::npos;
  const auto value = sign == std::string::npos ? 0 : sign + 1;
  if (value < word.size() && word[value] == '[' && word.back() == ']') word.insert(value, 1, mark);
  return word;
}

void unmark(std::string& word) {
  if (word.starts_with(std::string{mark, '['})) word.erase(0, 1);
}

outcome store(attached_verb& attached) {
  for (auto& words : attached.words) {
    if (words.seen->count() == 0) continue;
    auto& o = *words.into;
    // A flag that is given without a value counts as true. A flag that is given twice has the last
    // value, as in other programs.
    if (o.is_flag) words.words = {words.seen->results().back()};
    std::ranges::for_each(words.words, unmark);
    if (const auto no = o.set(words.words)) {
      const auto shown = o.is_positional ? o.placeholder : "--" + o.name;
      return wrong_usage(shown, *no,
                         "see `soma " + std::string(attached.verb->action->name()) + " --help`");
    }
    o.is_given = true;
  }
  return {};
}

fs::path default_home() {
  return home_of_user() / ".soma";
}

expected<run_context, failure> find_context(const globals& given) {
  run_context context;
  context.wants_json = given.wants_json;
  context.config = json::object();
  const char* from_environment = std::getenv("SOMA_HOME");
  if (!given.home.empty()) {
    context.home = expanded(given.home);
  } else if (from_environment != nullptr && *from_environment != '\0') {
    context.home = from_environment;
  }
  auto path = expanded(given.config);
  for (const auto& [option, named] : {std::pair{"--home", context.home}, {"--config", path}}) {
    if (!named.empty() && !named.is_absolute() && is_start_folder_gone()) {
      return wrong_usage(option, start_folder_gone, "name a whole path");
    }
  }
  std::error_code error;
  if (path.empty()) {
    const auto standard = (context.home.empty() ? default_home() : context.home) / "config.toml";
    // Only a file that is not there counts as none. One that cannot be read is refused below.
    const auto status = fs::symlink_status(standard, error).type();
    if (status != fs::file_type::not_found) path = standard;
  }
  if (!path.empty()) {
    auto config = read_config(path);
    if (!config) return make_unexpected(config.error());
    context.config = std::move(*config);
    context.config_path = path;
  }
  const auto* home = context.config.find("home");
  const auto* text = home == nullptr ? nullptr : home->as_string();
  const bool is_path = text != nullptr && !text->empty() && text->find('\0') == text->npos;
  if (home != nullptr && !is_path) {
    return failed("the configuration's home", line_of(*home) + "it is not the path of a folder",
                  "write home = \"/path/of/the/folder\"");
  }
  if (context.home.empty()) context.home = is_path ? path_beside(path, *text) : default_home();
  return context;
}

std::string dotted(std::string_view verb_name) {
  std::string name(verb_name);
  std::ranges::replace(name, ' ', '.');
  return name;
}

}  // namespace

std::vector<bound_verb> bind_verbs() {
  std::vector<bound_verb> bound;
  for (auto& verb : all_verbs()) {
    auto options = std::make_unique<option_set>();
    verb->declare(*options);
    bound.push_back({std::move(verb), std::move(options)});
  }
  return bound;
}

outcome apply_config(const json& config, std::vector<bound_verb>& verbs) {
  const auto unknown = [](const std::string& name, const json& value, const char* why,
                          const std::vector<std::string>& names) {
    return failed("the configuration's " + name, line_of(value) + why + nearest_of(name, names),
                  "`soma config show` prints every name");
  };
  // What may stand at the top: `home`, `join` and `network`, the first words of the verbs, and
  // tables that a verb reads by itself. In the table of a group there are the tables of its verbs
  // and nothing else.
  std::map<std::string, std::vector<std::string>> groups;
  std::vector<std::string> owned, names{"home", "join", "network"};
  for (const auto& verb : verbs) {
    const auto first = first_word(verb.action->name());
    const auto second = second_word(verb.action->name());
    names.push_back(first);
    if (!second.empty()) groups[first].push_back(first + "." + second);
    for (const auto& table : verb.options->tables()) {
      owned.push_back(table);
      names.push_back(table);
    }
  }
  for (const auto& [name, value] : *config.as_object()) {
    if (std::ranges::find(names, name) == names.end()) {
      return unknown(name, value, "there is no such verb or table", names);
    }
    const bool is_own = std::ranges::find(owned, name) != owned.end();
    const bool is_text = value.as_string() != nullptr && !value.as_string()->empty();
    if ((name == "join" || name == "network") && !is_text) {
      return failed("the configuration's " + name, line_of(value) + "it is not a text in quotes",
                    name == "join" ? "write join = \"https://HOST:PORT\""
                                   : "write network = \"0x…\", the chain id");
    }
    if (name == "home" || is_own || !groups.contains(name)) continue;
    if (value.as_object() == nullptr) {
      return failed("the configuration's " + name, line_of(value) + "it is not a table",
                    "its options stand below [" + groups[name].front() + "]");
    }
    for (const auto& [inner, below] : *value.as_object()) {
      const auto path = name + "." + inner;
      if (std::ranges::find(groups[name], path) == groups[name].end()) {
        return unknown(path, below, "there is no such verb", groups[name]);
      }
    }
  }
  if (auto checked = check_node_tables(config); !checked) return checked;
  for (auto& verb : verbs) {
    const auto name = dotted(verb.action->name());
    if (const auto* table = config.find_path(name)) {
      if (auto applied = verb.options->apply(*table, name); !applied) return applied;
    }
  }
  return {};
}

namespace {

/// The words that were typed. `soma help model train` is `soma model train --help`, and
/// `soma version` is `soma --version`: people try both.
std::vector<std::string> words_of(int argc, const char* const* argv) {
  std::vector<std::string> words(argv, argv + std::max(argc, 0));
  if (words.size() > 1 && words[1] == "help") {
    words.erase(words.begin() + 1);
    words.emplace_back("--help");
  } else if (words.size() == 2 && words[1] == "version") {
    words[1] = "--version";
  }
  return words;
}

}  // namespace

expected<command, failure> parse_command_line(int argc, const char* const* argv,
                                              std::vector<bound_verb>& verbs) {
  CLI::App app{"SOMA: one great intelligence, trained by everyone, verified by everyone", "soma"};
  app.set_version_flag("-V,--version", "soma " + build_text());
  app.require_subcommand(1);
  globals given;
  add_globals(app, given);
  auto attached = attach_verbs(app, verbs, given);
  // A group would take the footer over if it were there before.
  app.footer(
      "Example:\n  soma localnet\nExit codes: 0 done, 1 refused, failed or stopped, 2 "
      "wrong usage.\nCtrl-C ends in good order, within seconds; a second one ends at once, by the "
      "signal.");
  const auto typed = words_of(argc, argv);
  std::vector<const char*> plain;
  for (const auto& word : typed) plain.push_back(word.c_str());
  const auto words = typed_words(plain).subspan(plain.empty() ? 0 : 1);
  std::string verb;
  if (auto found = find_verb(words, verbs, verb); !found) return make_unexpected(found.error());
  if (auto checked = check_flags(words, verbs); !checked) return make_unexpected(checked.error());
  std::vector<std::string> marks;
  std::vector<const char*> pointers;
  for (const auto& word : typed) marks.push_back(marked(word));
  for (const auto& word : marks) pointers.push_back(word.c_str());
  try {
    app.parse(static_cast<int>(pointers.size()), pointers.data());
    unmark(given.home);
    unmark(given.config);
  } catch (const CLI::CallForHelp&) {
    const auto columns = std::min<std::size_t>(terminal_columns(stream::out), max_help_columns);
    return command{nullptr, wrapped_help(app.help(), columns), {}};
  } catch (const CLI::CallForVersion& version_text) {
    return command{nullptr, std::string(version_text.what()) + "\n", {}};
  } catch (const CLI::ArgumentMismatch& error) {
    return make_unexpected(wrong_count(error.what(), verb));
  } catch (const CLI::ExtrasError&) {
    return make_unexpected(leftover(words, app.remaining(true), verbs, verb));
  } catch (const CLI::ParseError& error) {
    return wrong_usage("wrong usage", error.what(), "add --help to see what is possible");
  }
  for (auto& one : attached) {
    if (!one.app->parsed()) continue;
    if (auto stored = store(one); !stored) return make_unexpected(stored.error());
    auto context = find_context(given);
    if (!context) return make_unexpected(context.error());
    if (auto applied = apply_config(context->config, verbs); !applied) {
      return make_unexpected(applied.error());
    }
    if (auto complete = one.verb->options->check_given(one.verb->action->name()); !complete) {
      return make_unexpected(complete.error());
    }
    return command{one.verb->action.get(), {}, std::move(*context)};
  }
  return wrong_usage("wrong usage", "no verb was named", "see `soma --help`");
}

}  // namespace soma::cli
