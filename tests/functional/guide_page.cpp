#include "tests/functional/guide_page.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>

namespace soma::guide {
namespace {

constexpr std::string_view fence = "```";
constexpr std::string_view comment_begin = "<!-- test: ";
constexpr std::string_view comment_end = " -->";

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto end = text.find('\n');
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> words;
  while (true) {
    const auto begin = line.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return words;
    line.remove_prefix(begin);
    const auto end = std::min(line.find_first_of(" \t"), line.size());
    words.emplace_back(line.substr(0, end));
    line.remove_prefix(end);
  }
}

template <class Number>
bool read_number(std::string_view text, Number& into) {
  const auto read = std::from_chars(text.data(), text.data() + text.size(), into);
  return read.ec == std::errc() && read.ptr == text.data() + text.size();
}

/// The part of `text` after `beginning`; nullopt when it does not begin so or has no more.
std::optional<std::string> after(std::string_view text, std::string_view beginning) {
  if (!text.starts_with(beginning) || text.size() == beginning.size()) return std::nullopt;
  return std::string(text.substr(beginning.size()));
}

/// False when the setting is not one of those that the header lists.
bool apply(std::string_view setting, block& into) {
  if (auto reason = after(setting, "not run: ")) return into.not_run = *reason, true;
  if (auto reason = after(setting, "not compared: ")) return into.not_compared = *reason, true;
  if (auto text = after(setting, "background until ")) return into.background_until = *text, true;
  if (auto words = after(setting, "arguments ")) return into.arguments = *words, true;
  if (auto name = after(setting, "file ")) return into.file = *name, true;
  if (auto command = after(setting, "first ")) return into.first.push_back(*command), true;
  if (auto number = after(setting, "status ")) return read_number(*number, into.status);
  if (setting == "interrupt") return into.interrupts = true;
  if (setting == "with a localnet") return into.needs_localnet = true;
  if (const auto let = after(setting, "let ")) {
    const auto middle = let->find(" be ");
    if (middle == std::string::npos || middle == 0) return false;
    into.lets.emplace_back(let->substr(0, middle), let->substr(middle + 4));
    return true;
  }
  if (const auto ports = after(setting, "free ports ")) {
    const auto words = words_of(*ports);
    port_range range;
    const bool is_range = words.size() == 3 && words[1] == "to" &&
                          read_number(words[0], range.first) && read_number(words[2], range.last) &&
                          range.first <= range.last;
    into.free_ports = range;
    return is_range;
  }
  return false;
}

/// The fault of a block with settings that do not belong to its language; empty when there is none.
std::string fault_of(const block& one) {
  if (one.language != "sh" && one.language != "text" && one.language != "toml") {
    return "a block is sh, text or toml, not '" + one.language + "'";
  }
  const bool has_settings_of_commands = !one.not_run.empty() || !one.background_until.empty() ||
                                        !one.arguments.empty() || one.status != 0 ||
                                        one.interrupts || !one.first.empty();
  if (one.has_commands()) {
    if (!one.not_compared.empty() || !one.file.empty()) return "this is no setting of commands";
    return command_lines(one.content).empty() ? "a block without a command" : "";
  }
  if (has_settings_of_commands) return "this is no setting of a block that is not run";
  if (one.language == "toml" && one.file.empty()) return "a toml block says which file it is";
  return {};
}

class page_reader {
 public:
  explicit page_reader(std::string name) { out_.name = std::move(name); }

  page read(std::string_view text) {
    for (const auto line : lines_of(text)) {
      ++out_.lines;
      if (is_open_) {
        inside(line);
      } else {
        outside(line);
      }
    }
    if (is_open_) fault("the block is not closed");
    if (has_settings_) fault("no block follows the comment");
    return std::move(out_);
  }

 private:
  void fault(const std::string& what) {
    out_.faults.push_back(out_.name + ":" + std::to_string(out_.lines) + ": " + what);
  }

  void inside(std::string_view line) {
    if (!line.starts_with(fence)) {
      next_.content.append(line).push_back('\n');
      return;
    }
    is_open_ = false;
    if (const auto wrong = fault_of(next_); !wrong.empty()) fault(wrong);
    out_.blocks.push_back(std::move(next_));
    next_ = {};
    has_settings_ = false;
  }

  void outside(std::string_view line) {
    if (line.starts_with(fence)) {
      is_open_ = true;
      next_.line = out_.lines;
      next_.section = section_;
      next_.language = line.substr(fence.size());
    } else if (line.starts_with("<!--")) {
      setting(line);
    } else if (!line.empty()) {
      if (has_settings_) fault("a comment stands directly before its block");
      if (line.starts_with("#")) ++section_;
      spans(line);
    }
  }

  void setting(std::string_view line) {
    if (!line.starts_with(comment_begin) || !line.ends_with(comment_end)) {
      return fault("a comment has one line and begins with 'test: '");
    }
    line.remove_prefix(comment_begin.size());
    line.remove_suffix(comment_end.size());
    has_settings_ = true;
    if (!apply(line, next_)) fault("there is no setting '" + std::string(line) + "'");
  }

  void spans(std::string_view line) {
    while (true) {
      const auto begin = line.find('`');
      const auto end = begin == std::string_view::npos ? begin : line.find('`', begin + 1);
      if (end == std::string_view::npos) {
        if (begin != std::string_view::npos) fault("inline code ends on its line");
        return;
      }
      const auto text = line.substr(begin + 1, end - begin - 1);
      out_.spans.push_back({out_.lines, section_, std::string(text)});
      line.remove_prefix(end + 1);
    }
  }

  page out_;
  block next_;
  bool is_open_ = false, has_settings_ = false;
  std::size_t section_ = 0;
};

/// Where the comment in a line of a script begins; the size of the line when it has none. A `#`
/// within a word or quotes begins no comment.
std::size_t comment_at(std::string_view line) {
  char quote = 0;
  for (std::size_t at = 0; at < line.size(); ++at) {
    const char c = line[at];
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '#' && (at == 0 || line[at - 1] == ' ')) {
      return at;
    }
  }
  return line.size();
}

std::string_view without_end(std::string_view text, std::string_view blanks) {
  return text.substr(0, text.find_last_not_of(blanks) + 1);
}

/// The words and separators of a line; each separator is a word.
std::vector<std::string> tokens_of(std::string_view line) {
  std::vector<std::string> tokens;
  std::string word;
  bool has_word = false;
  char quote = 0;
  const auto end_word = [&] {
    if (has_word) tokens.push_back(std::exchange(word, {}));
    has_word = false;
  };
  for (const char c : line) {
    if (quote != 0) {
      if (c == quote) {
        quote = 0;
      } else {
        word += c;
      }
    } else if (c == '"' || c == '\'') {
      quote = c;
      has_word = true;
    } else if (c == ' ') {
      end_word();
    } else if (c == ';' || c == '|' || c == '&') {
      end_word();
      tokens.emplace_back(1, c);
    } else {
      word += c;
      has_word = true;
    }
  }
  end_word();
  return tokens;
}

bool is_unit(std::string_view word) {
  static constexpr std::array<std::string_view, 27> units{
      "ns",   "µs",   "ms",    "s",     "min",     "h",    "d",       "B",       "KiB",
      "MiB",  "GiB",  "TiB",   "kB",    "MB",      "GB",   "%",       "B/s",     "kB/s",
      "MB/s", "GB/s", "KiB/s", "MiB/s", "GFLOP/s", "tx/s", "epoch/s", "model/s", "step/s"};
  return std::ranges::find(units, word) != units.end();
}

constexpr std::string_view number = "#";
constexpr std::string_view anything = "…";

/// The words of a line, with one mark in the place of each number and its unit.
std::vector<std::string> shape_of(std::string_view line) {
  std::vector<std::string> shape;
  for (auto& word : words_of(line)) {
    const bool follows_number = !shape.empty() && shape.back() == number;
    if (follows_number && is_unit(without_end(word, ",.;:)"))) continue;
    const bool has_digit = std::ranges::any_of(word, [](char c) { return c >= '0' && c <= '9'; });
    if (has_digit && follows_number) continue;  // so that "1 min 53 s" equals "53 s"
    shape.emplace_back(has_digit ? std::string(number) : word);
  }
  return shape;
}

bool looks_like(std::span<const std::string> wanted, std::span<const std::string> found) {
  if (wanted.empty()) return found.empty();
  if (wanted[0] != anything) {
    return !found.empty() && wanted[0] == found[0] &&
           looks_like(wanted.subspan(1), found.subspan(1));
  }
  for (std::size_t skipped = 0; skipped <= found.size(); ++skipped) {
    if (looks_like(wanted.subspan(1), found.subspan(skipped))) return true;
  }
  return false;
}

}  // namespace

page parse_page(std::string name, std::string_view text) {
  return page_reader(std::move(name)).read(text);
}

std::vector<std::string> command_lines(std::string_view script) {
  std::vector<std::string> lines;
  std::string joined;
  for (auto line : lines_of(script)) {
    if (line.ends_with("\\")) {
      line.remove_suffix(1);
      joined += line;
      continue;
    }
    joined += line;
    const auto is_empty = joined.find_first_not_of(' ') == std::string::npos;
    if (!is_empty && comment_at(joined) != joined.find_first_not_of(' ')) lines.push_back(joined);
    joined.clear();
  }
  return lines;
}

std::vector<shell_words> commands_of(std::string_view script) {
  std::vector<shell_words> commands;
  for (const auto& line : command_lines(script)) {
    shell_words words;
    const auto end_command = [&] {
      if (!words.empty()) commands.push_back(std::exchange(words, {}));
    };
    for (auto& token : tokens_of(std::string_view(line).substr(0, comment_at(line)))) {
      if (token == ";" || token == "|" || token == "&") {
        end_command();
      } else if (token.find('>') == std::string::npos) {
        words.push_back(std::move(token));
      }
    }
    end_command();
  }
  return commands;
}

std::string with_arguments(std::string_view line, std::string_view arguments) {
  const auto end = comment_at(line);
  const auto command = without_end(line.substr(0, end), " ");
  auto longer = std::string(command) + " " + std::string(arguments);
  if (end < line.size()) longer += "  " + std::string(line.substr(end));
  return longer;
}

std::vector<std::string> lines_not_printed(std::string_view expected, std::string_view printed) {
  std::vector<std::vector<std::string>> shapes;
  for (const auto line : lines_of(printed)) shapes.push_back(shape_of(line));
  std::vector<std::string> missing;
  for (const auto line : lines_of(expected)) {
    const auto wanted = shape_of(line);
    if (wanted.empty()) continue;
    const auto was_printed =
        std::ranges::any_of(shapes, [&](const auto& found) { return looks_like(wanted, found); });
    if (!was_printed) missing.emplace_back(line);
  }
  return missing;
}

}  // namespace soma::guide
