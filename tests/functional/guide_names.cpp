#include "tests/functional/guide_names.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace soma::guide {
namespace {

namespace fs = std::filesystem;

bool is_soma(const std::string& word) {
  return word == "soma" || word.ends_with("/soma");
}

/// Whether the word sets a variable for a command, as "SOMA_ISA=scalar" does.
bool is_assignment(const std::string& word) {
  const auto at = word.find('=');
  return at != std::string::npos && at > 0 && word.find_first_of("/-") > at;
}

/// The option in a word: "--json=x" and "--json." have the option --json.
std::string option_in(const std::string& word) {
  std::size_t end = 2;
  while (end < word.size() && (std::isalnum(static_cast<unsigned char>(word[end])) != 0 ||
                               (word[end] == '-' && end + 1 < word.size()))) {
    ++end;
  }
  return word.substr(0, end);
}

bool has_option(const std::string& help, const std::string& option) {
  for (auto at = help.find(option); at != std::string::npos; at = help.find(option, at + 1)) {
    const auto end = at + option.size();
    const bool is_longer =
        end < help.size() &&
        (std::isalnum(static_cast<unsigned char>(help[end])) != 0 || help[end] == '-');
    if (!is_longer && at > 0 && (help[at - 1] == ' ' || help[at - 1] == ',')) return true;
  }
  return false;
}

bool is_in_tree(const std::string& text) {
  static constexpr std::array<std::string_view, 8> beginnings{
      "messages/", "model/", "storage/", "actors/", "deploy/", "tests/", "build/release/", ".ci/"};
  if (text.find_first_of(" *…<") != std::string::npos) return false;
  return std::ranges::any_of(beginnings, [&](auto begin) { return text.starts_with(begin); });
}

}  // namespace

std::vector<std::string> name_checker::missing(const page& one) {
  std::vector<std::string> found;
  const auto add = [&](std::size_t line, const std::string& fault) {
    if (!fault.empty()) found.push_back(one.name + ":" + std::to_string(line) + ": " + fault);
  };
  for (const auto& block : one.blocks) {
    if (!block.has_commands()) continue;
    for (const auto& words : commands_of(block.content)) add(block.line, command_fault(words));
  }
  for (const auto& span : one.spans) {
    if (span.text.starts_with("soma ")) {
      for (const auto& words : commands_of(span.text)) add(span.line, command_fault(words));
    } else if (span.text.starts_with("--")) {
      add(span.line, option_fault(one, span));
    } else if (is_in_tree(span.text)) {
      add(span.line, path_fault(span.text));
    }
  }
  return found;
}

std::string name_checker::command_fault(shell_words words) {
  while (words.size() > 1 && is_assignment(words[0])) words.erase(words.begin());
  if (is_soma(words[0])) return soma_fault(words);
  if (is_in_tree(words[0])) return path_fault(words[0]);
  return {};
}

std::string name_checker::soma_fault(const shell_words& words) {
  const auto& help = help_of(words);
  if (help.empty()) return "there is no verb " + words[std::min<std::size_t>(1, words.size() - 1)];
  for (const auto& word : words) {
    if (word.starts_with("--") && !has_option(help, option_in(word))) {
      return "the verb " + words[1] + " has no option " + word;
    }
  }
  return {};
}

std::string name_checker::option_fault(const page& one, const span& named) {
  const auto option = option_in(named.text);
  if (has_option(help_of_page(one, named.section, false), option)) return {};
  if (has_option(help_of_page(one, named.section, true), option)) return {};
  return "no verb of this page has an option " + option;
}

/// Of a built program it looks for the source, since the tests of one folder can be built without
/// the others.
std::string name_checker::path_fault(const std::string& path) const {
  constexpr std::string_view built = "build/release/";
  if (!path.starts_with(built)) {
    return fs::exists(built_.source / path) ? "" : "there is no " + path;
  }
  const auto name = path.substr(built.size());
  if (name == "soma" || fs::exists(built_.source / (name + ".cpp"))) return {};
  return "there is no source of " + path;
}

const std::string& name_checker::help_of(const shell_words& words) {
  if (words.size() < 2 || words[1].starts_with("-")) return help_text("");
  const auto& first = help_text(words[1]);
  const bool is_group = first.find("SUBCOMMAND") != std::string::npos;
  if (!is_group || words.size() < 3 || words[2].starts_with("-")) return first;
  return help_text(words[1] + " " + words[2]);
}

const std::string& name_checker::help_text(const std::string& verb) {
  const auto known = helps_.find(verb);
  if (known != helps_.end()) return known->second;
  std::vector<std::string> command{built_.binary.string()};
  const auto blank = verb.find(' ');
  if (!verb.empty()) command.push_back(verb.substr(0, blank));
  if (blank != std::string::npos) command.push_back(verb.substr(blank + 1));
  command.emplace_back("--help");
  const support::scratch_folder home;
  const auto done = support::run_program(home.path(), command);
  return helps_.emplace(verb, done.exit_code == 0 ? done.out : "").first->second;
}

std::string name_checker::help_of_page(const page& one, std::size_t section, bool is_whole) {
  std::string all;
  const auto add = [&](std::size_t where, const std::string& script) {
    if (!is_whole && where != section) return;
    for (const auto& words : commands_of(script)) {
      if (is_soma(words[0])) all += help_of(words);
    }
  };
  for (const auto& block : one.blocks) {
    if (block.has_commands()) add(block.section, block.content);
  }
  for (const auto& span : one.spans) {
    if (span.text.starts_with("soma ")) add(span.section, span.text);
  }
  return all;
}

}  // namespace soma::guide
