// A page of the guide, or README.md, as its test reads it: fenced blocks, and comments that say how
// a block is run. The comments are HTML, so a rendered page does not show them.
//
// A fence names its language. `sh` is run, `toml` and `text` are not:
//
//   sh      commands, run by bash in the order of the page; the folder and exported variables last
//           from block to block
//   text    what the block of commands before it prints, each line of it in any order
//   toml    a file
//
// A comment stands before the block that it concerns, one setting a comment:
//
//   <!-- test: not run: REASON -->           commands that are checked to exist, and no more
//   <!-- test: background until TEXT -->     each line is a program that runs until the page ends
//                                            or is interrupted; the page goes on once it wrote TEXT
//   <!-- test: interrupt -->                 Ctrl-C for every program in the background, first
//   <!-- test: arguments WORDS -->           more words for each line of the block
//   <!-- test: status N -->                  the block ends with this exit status instead of 0
//   <!-- test: first COMMAND -->             a command before the block
//   <!-- test: let TEXT be COMMAND -->       from here on TEXT stands for what the command prints
//   <!-- test: free ports A to B -->         from here on these numbers stand for ports that are
//   free
//   <!-- test: with a localnet -->           the home holds what a short `soma localnet` left
//   <!-- test: file NAME -->                 the block is the content of that file
//   <!-- test: not compared: REASON -->      output that the test's run does not print like this
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace soma::guide {

struct port_range {
  std::uint16_t first = 0, last = 0;
};

struct block {
  std::size_t line = 0;  // of the opening fence
  std::size_t section = 0;
  std::string language, content;

  std::string not_run, not_compared;  // reasons; empty: it is run, it is compared
  std::string background_until, arguments, file;
  int status = 0;
  bool interrupts = false, needs_localnet = false;
  std::vector<std::string> first;
  std::vector<std::pair<std::string, std::string>> lets;  // a text, and the command that prints it
  std::optional<port_range> free_ports;

  [[nodiscard]] bool has_commands() const { return language == "sh"; }
};

/// Inline code: `like this`.
struct span {
  std::size_t line = 0, section = 0;
  std::string text;
};

struct page {
  std::string name;  // path from the root of the tree
  std::size_t lines = 0;
  std::vector<block> blocks;
  std::vector<span> spans;
  std::vector<std::string> faults;  // what is no notation; each names its line
};

/// Reads the text of a page. A section begins with each heading.
[[nodiscard]] page parse_page(std::string name, std::string_view text);

/// One simple command of a shell line, as far as the guide writes them: words between `;`, `|`,
/// `&&` and ends of lines, without comments and redirections; quotes are taken off.
using shell_words = std::vector<std::string>;
[[nodiscard]] std::vector<shell_words> commands_of(std::string_view script);

/// The lines of a script with continued lines joined, without blank lines and lines of comments.
[[nodiscard]] std::vector<std::string> command_lines(std::string_view script);

/// `line` with more words, before a comment at its end.
[[nodiscard]] std::string with_arguments(std::string_view line, std::string_view arguments);

/// The lines of `expected` that no line of `printed` looks like. Words with a digit in them stand
/// for each other, with their units; `…` stands for any words.
[[nodiscard]] std::vector<std::string> lines_not_printed(std::string_view expected,
                                                         std::string_view printed);

}  // namespace soma::guide
