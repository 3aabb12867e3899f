#include "deploy/soma/wrapped_help.hpp"

#include <algorithm>
#include <vector>

#include "deploy/soma/shell/console.hpp"

namespace soma::cli {
namespace {

constexpr std::string_view command_begin = "  soma ";
constexpr std::size_t command_indent = 6;
constexpr std::size_t narrowest_description = 24;  // a narrower one is moved to the left

/// The column at which the description in a line of help begins: behind the first gap of two blanks
/// or more. A line without a gap is a description itself.
std::size_t description_column(std::string_view line) {
  const auto begin = std::min(line.find_first_not_of(' '), line.size());
  const auto gap = line.find("  ", begin);
  if (gap == std::string_view::npos) return begin;
  return std::min(line.find_first_not_of(' ', gap), line.size());
}

/// The words of a command, where a text in quotes is one word.
std::vector<std::string> words_of(std::string_view text, bool keeps_quotes) {
  std::vector<std::string> words(1);
  char quote = 0;
  for (const char c : text) {
    if (keeps_quotes && (c == '"' || c == '\'') && (quote == 0 || quote == c)) {
      quote = quote == 0 ? c : 0;
    }
    if (c != ' ' || quote != 0) {
      words.back() += c;
    } else if (!words.back().empty()) {
      words.emplace_back();
    }
  }
  if (words.back().empty()) words.pop_back();
  return words;
}

/// Appends words to `begin` as long as they fit; then a line begins that is indented so far. Each
/// line but the last ends with `at_end`.
std::string filled(std::string begin, const std::vector<std::string>& words, std::size_t indent,
                   std::string_view at_end, std::size_t columns) {
  std::string done, line = std::move(begin);
  bool is_empty = true;
  for (const auto& word : words) {
    const auto width = shown_width(line) + (is_empty ? 0 : 1) + shown_width(word);
    if (!is_empty && width + at_end.size() > columns) {
      done += line + std::string(at_end) + "\n";
      line.assign(indent, ' ');
      is_empty = true;
    }
    line += (is_empty ? "" : " ") + word;
    is_empty = false;
  }
  return done + line;
}

std::string wrapped_line(std::string_view line, std::size_t columns) {
  if (shown_width(line) <= columns) return std::string(line);
  if (line.starts_with(command_begin)) {
    return filled("  ", words_of(line, true), command_indent, " \\", columns);
  }
  const auto column = description_column(line);
  const auto words = words_of(line.substr(column), false);
  if (column + narrowest_description <= columns) {
    return filled(std::string(line.substr(0, column)), words, column, "", columns);
  }
  auto head = std::string(line.substr(0, column));
  head.erase(head.find_last_not_of(' ') + 1);
  return (head.empty() ? "" : head + "\n") + filled("    ", words, 4, "", columns);
}

}  // namespace

std::string wrapped_help(std::string_view text, std::size_t columns) {
  std::string out;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    out += wrapped_line(text.substr(0, end), columns);
    if (end < text.size()) out += '\n';
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

}  // namespace soma::cli
