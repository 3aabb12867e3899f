#include "tests/fuzz/commands/command_lines.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "tests/fuzz/commands/words.hpp"

namespace soma::fuzz {
namespace {

using cli::bound_verb;
using cli::option;
using cli::value_kind;
using noise::noise_generator;

/// Words that belong together, such as an option and its value. Their order among the others is
/// drawn.
using word_group = std::vector<std::string>;

constexpr std::string_view no_number = "no-number";

std::vector<std::string> words_of(std::string_view name) {
  const auto blank = name.find(' ');
  if (blank == std::string_view::npos) return {std::string(name)};
  return {std::string(name.substr(0, blank)), std::string(name.substr(blank + 1))};
}

void shuffle(std::vector<word_group>& groups, noise_generator& noise) {
  for (std::size_t i = groups.size(); i > 1; --i) std::swap(groups[i - 1], groups[noise.below(i)]);
}

void append(std::vector<std::string>& words, const std::vector<word_group>& groups) {
  for (const auto& group : groups) words.insert(words.end(), group.begin(), group.end());
}

/// "--seed 3", "--seed=3" or "-o 3".
word_group written(const option& o, const std::string& value, noise_generator& noise) {
  if (o.letter != 0 && chance(50, noise)) return {std::string("-") + o.letter, value};
  // An option with an empty value after "=" takes the next word instead.
  if (!value.empty() && chance(30, noise)) return {"--" + o.name + "=" + value};
  return {"--" + o.name, value};
}

/// A verb and what a sound line of it has. Positional words come first, in their order.
struct draft {
  bound_verb* verb = nullptr;
  std::vector<const option*> given;
  std::vector<word_group> positionals, options;

  [[nodiscard]] command_line finished(noise_generator& noise) {
    command_line line;
    line.verb = verb->action->name();
    line.words = words_of(line.verb);
    shuffle(options, noise);
    append(line.words, positionals);
    append(line.words, options);
    return line;
  }
};

draft sound_draft(bound_verb& verb, noise_generator& noise) {
  draft made{&verb, {}, {}, {}};
  bool is_row_complete = true;  // a positional word is left out only with all that follow it
  for (const auto& o : verb.options->all()) {
    if (o.is_positional) {
      is_row_complete = is_row_complete && (o.is_required || chance(50, noise));
      if (!is_row_complete) continue;
      made.positionals.push_back({value_for(o, true, noise)});
      made.given.push_back(&o);
      continue;
    }
    if ((!o.is_required && !chance(25, noise)) || contradicts_one_of(o, made.given)) continue;
    made.given.push_back(&o);
    if (o.is_flag) {
      made.options.push_back({"--" + o.name + (chance(30, noise) ? "=true" : "")});
    } else {
      made.options.push_back(written(o, value_for(o, true, noise), noise));
    }
  }
  if (chance(30, noise)) made.options.push_back({"--json"});
  return made;
}

/// A random element of `all` for which `fits` holds; null if there is none.
template <class Fits>
const option* draw(const std::vector<const option*>& all, noise_generator& noise, Fits fits) {
  std::vector<const option*> fitting;
  for (const auto* o : all) {
    if (fits(*o)) fitting.push_back(o);
  }
  return fitting.empty() ? nullptr : one_of(fitting, noise);
}

bool has_list(const bound_verb& verb) {
  return std::ranges::any_of(verb.options->all(), [](const option& o) { return o.is_list; });
}

/// Removes the options of a draft that begin with this option's name or letter.
void leave_out(draft& made, const option& o) {
  std::erase_if(made.options, [&](const word_group& group) {
    return group[0] == "--" + o.name || group[0].starts_with("--" + o.name + "=") ||
           (o.letter != 0 && group[0] == std::string("-") + o.letter);
  });
}

/// Puts one fault into a sound draft. Returns its name; nullopt if the verb cannot have that fault.
std::optional<std::string> put_fault(draft& made, std::uint64_t kind, noise_generator& noise) {
  const auto& all = made.verb->options->all();
  switch (kind) {
    case 0: {  // a required option is missing; without one positional word, none is left
      const auto* o = draw(made.given, noise, [](const option& x) { return x.is_required; });
      if (o == nullptr) return std::nullopt;
      if (o->is_positional) {
        made.positionals.clear();
      } else {
        leave_out(made, *o);
      }
      return "without " + o->name;
    }
    case 1: {  // a value that is none of its type
      const auto* o = draw(made.given, noise, [](const option& x) {
        return !x.is_positional && (x.is_flag || x.set({std::string(no_number)}).has_value());
      });
      if (o == nullptr) return std::nullopt;
      leave_out(made, *o);
      made.options.push_back({"--" + o->name + "=" + std::string(no_number)});
      return o->name + " of a wrong type";
    }
    case 2: {  // one value for an option, and one more
      const auto* o = draw(made.given, noise, [](const option& x) {
        return !x.is_positional && !x.is_flag && !x.is_list;
      });
      if (o == nullptr) return std::nullopt;
      made.options.push_back(written(*o, value_for(*o, true, noise), noise));
      return o->name + " twice";
    }
    case 3: {  // two options that contradict each other
      std::vector<const option*> known;
      for (const auto& o : all) known.push_back(&o);
      const auto* o =
          draw(known, noise, [](const option& x) { return !x.contradicted_by.empty(); });
      if (o == nullptr) return std::nullopt;
      const auto other = std::ranges::find(known, one_of(o->contradicted_by, noise), &option::name);
      if (other == known.end()) return std::nullopt;
      for (const auto* one : {o, *other}) {
        leave_out(made, *one);
        if (one->is_flag) {
          made.options.push_back({"--" + one->name});
        } else {
          made.options.push_back(written(*one, value_for(*one, true, noise), noise));
        }
      }
      return o->name + " and " + (*other)->name;
    }
    case 4: {  // a name with a slip of the pen
      if (all.empty()) return std::nullopt;
      const auto wrong = misspelled(all[noise.below(all.size())].name, noise);
      const auto is_known = [&](const option& o) { return o.name == wrong; };
      if (wrong.starts_with("-") || std::ranges::any_of(all, is_known)) return std::nullopt;
      for (const auto* global : {"help", "home", "config", "json"}) {
        if (wrong == global) return std::nullopt;
      }
      made.options.push_back({"--" + wrong});
      return "an option --" + wrong;
    }
    default:  // a word too many; a list would take it
      if (has_list(*made.verb)) return std::nullopt;
      for (const auto& o : all) {
        if (o.is_positional && std::ranges::find(made.given, &o) == made.given.end()) {
          return std::nullopt;
        }
      }
      made.positionals.push_back({"surplus"});
      return "a word too many";
  }
}

command_line broken_line(bound_verb& verb, noise_generator& noise) {
  auto made = sound_draft(verb, noise);
  auto fault = put_fault(made, noise.below(6), noise);
  if (!fault) {
    made.options.push_back({"--no-such-option"});
    fault = "an option that does not exist";
  }
  auto line = made.finished(noise);
  line.parsing = expectation::refused;
  line.fault = *fault;
  return line;
}

word_group wild_option(const option& o, noise_generator& noise) {
  const auto name = chance(3, noise) ? misspelled(o.name, noise) : o.name;
  if (o.is_flag) {
    if (chance(75, noise)) return {"--" + name};
    return {"--" + name + "=" + value_for(o, chance(50, noise), noise)};
  }
  if (chance(4, noise)) return {"--" + name};  // it takes the next word, or there is none
  const auto value = value_for(o, chance(55, noise), noise);
  if (o.letter != 0 && chance(40, noise)) {
    return chance(30, noise) ? word_group{std::string("-") + o.letter + value}
                             : word_group{std::string("-") + o.letter, value};
  }
  return chance(30, noise) ? word_group{"--" + name + "=" + value} : word_group{"--" + name, value};
}

command_line wild_line(bound_verb& verb, noise_generator& noise) {
  static const std::vector<std::string> globals{"--home", "--config"};
  command_line line;
  line.verb = verb.action->name();
  std::vector<word_group> options, positionals;
  for (const auto& o : verb.options->all()) {
    if (!chance(o.is_required ? 92 : o.is_positional ? 50 : 18, noise)) continue;
    const auto times = chance(90, noise) ? 1 : 1 + noise.below(3);
    for (std::uint64_t i = 0; i < times; ++i) {
      if (o.is_positional) {
        positionals.push_back({value_for(o, chance(60, noise), noise)});
      } else {
        options.push_back(wild_option(o, noise));
      }
    }
  }
  for (const auto& global : globals) {
    if (chance(12, noise)) options.push_back({global, one_of(odd_paths(), noise)});
  }
  if (chance(30, noise)) options.push_back({chance(85, noise) ? "--json" : "--json=false"});
  if (chance(2, noise)) options.push_back({"--help"});
  if (chance(4, noise)) options.push_back({one_of(odd_texts(), noise)});
  shuffle(options, noise);
  // Options before the verb belong to the program, so only few lines have them there.
  if (chance(4, noise) && !options.empty()) {
    line.words = options.back();
    options.pop_back();
  }
  for (auto& word : words_of(line.verb)) line.words.push_back(std::move(word));
  const bool are_options_first = chance(40, noise);
  append(line.words, are_options_first ? options : positionals);
  append(line.words, are_options_first ? positionals : options);
  return line;
}

command_line babble(std::vector<bound_verb>& table, noise_generator& noise) {
  command_line line;
  for (auto left = noise.below(5); left > 0; --left) {
    const auto name = words_of(table[noise.below(table.size())].action->name());
    line.words.push_back(chance(40, noise)   ? one_of(name, noise)
                         : chance(30, noise) ? misspelled(name[0], noise)
                         : chance(50, noise) ? one_of(odd_texts(), noise)
                                             : one_of(odd_paths(), noise));
  }
  return line;
}

}  // namespace

bool contradicts_one_of(const option& o, const std::vector<const option*>& given) {
  return std::ranges::any_of(given, [&](const option* other) {
    return std::ranges::find(o.contradicted_by, other->name) != o.contradicted_by.end() ||
           std::ranges::find(other->contradicted_by, o.name) != other->contradicted_by.end();
  });
}

std::string value_for(const option& o, bool is_sound, noise_generator& noise) {
  static const std::vector<std::string> numbers{"0", "1", "2", "3", "8"};
  static const std::vector<std::string> sound_paths{
      "data.txt", "folder",   "w.safetensors", "net/genesis.bin", "net/validator-1", "new",
      "new2",     "keep.txt", "secret",        "home/ca",         "genesis.toml",    "new3"};
  static const std::vector<std::string> sound_texts{"alice",   "newname", "12.5",
                                                    "alice=5", "tiny",    "127.0.0.1:1"};
  if (!is_sound && chance(15, noise)) {  // what another kind of option would take
    const std::array lists{&odd_paths(), &odd_numbers(), &odd_sizes(), &odd_texts()};
    return one_of(*lists[noise.below(lists.size())], noise);
  }
  if (!o.choices.empty()) {
    const auto& choice = one_of(o.choices, noise);
    return is_sound ? choice : misspelled(choice, noise);
  }
  switch (o.kind) {
    case value_kind::flag:
      return is_sound ? (chance(50, noise) ? "true" : "false") : one_of(odd_texts(), noise);
    case value_kind::integer:
      return one_of(is_sound ? numbers : odd_numbers(), noise);
    case value_kind::number:
      return is_sound ? "0.5" : one_of(odd_numbers(), noise);
    case value_kind::size:
      return is_sound ? "64KiB" : one_of(odd_sizes(), noise);
    case value_kind::path:
      return one_of(is_sound ? sound_paths : odd_paths(), noise);
    case value_kind::text:
      break;
  }
  // What the text means is known to the verb alone, so most of them are refused later.
  return one_of(is_sound ? sound_texts : odd_texts(), noise);
}

command_line random_command_line(std::vector<bound_verb>& table, noise_generator& noise) {
  auto& verb = table[noise.below(table.size())];
  const auto kind = noise.below(100);
  if (kind < 20) {
    auto line = sound_draft(verb, noise).finished(noise);
    line.parsing = expectation::accepted;
    return line;
  }
  if (kind < 45) return broken_line(verb, noise);
  if (kind < 96) return wild_line(verb, noise);
  return babble(table, noise);
}

command_line made_short(command_line line, noise_generator& noise) {
  const auto is_heavy =
      line.verb == "localnet" || line.verb.starts_with("sim ") || line.verb.starts_with("bench ");
  if (is_heavy) {
    line.words.emplace_back(chance(30, noise) ? "--help" : "--no-such-option");
    line.parsing = expectation::open;
  }
  if (line.verb == "model train" && !std::ranges::any_of(line.words, [](const std::string& word) {
        return word.starts_with("--steps");
      })) {
    line.words.insert(line.words.end(), {"--steps", "2"});
  }
  return line;
}

}  // namespace soma::fuzz
