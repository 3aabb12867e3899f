// A page of the guide, or README.md, as its test reads it: fenced blocks, and comments that say how
// to run a block. The comments are HTML, so a rendered page does not show them.
//
// Each block names its language:
//
//   sh      commands that bash runs in the order of the page; the folder and the exported variables
//           stay from block to block
//   text    what the block of commands before it prints; the order of its lines does not matter
//   toml    the content of a file
//
// A comment with a setting stands before the block to which it belongs, one setting in a comment:
//
//   <!-- test: not run: REASON -->           the commands are not run, but they have to exist
//   <!-- test: background until TEXT -->     each line is a program that runs until the page ends
//                                            or is interrupted; the page goes on once it wrote TEXT
//   <!-- test: interrupt -->                 Ctrl-C for all background programs before the block
//   <!-- test: arguments WORDS -->           words that are added to each line of the block
//   <!-- test: status N -->                  the block ends with this exit status instead of 0
//   <!-- test: first COMMAND -->             a command that is run before the block
//   <!-- test: let TEXT be COMMAND -->       from here on TEXT stands for what the command prints
//   <!-- test: free ports A to B -->         from here on these numbers stand for free ports
//   <!-- test: with a localnet -->           the home holds the result of a short `soma localnet`
//   <!-- test: file NAME -->                 the block is the content of that file
//   <!-- test: not compared: REASON -->      output that is not compared with that of the test
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

  std::string not_run, not_compared;  // the reasons; empty when it is run, or compared
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
  std::vector<std::string> faults;  // mistakes in the notation, each with its line
};

/// Reads the text of a page. A section begins with each heading.
[[nodiscard]] page parse_page(std::string name, std::string_view text);

/// The words of one simple command, as the guide writes them: words between `;`, `|`, `&&` and the
/// ends of lines, without comments, redirections and quotes.
using shell_words = std::vector<std::string>;
[[nodiscard]] std::vector<shell_words> commands_of(std::string_view script);

/// The lines of a script with continued lines joined, without blank lines and lines of comments.
[[nodiscard]] std::vector<std::string> command_lines(std::string_view script);

/// `line` with more words, which are put before the comment at its end.
[[nodiscard]] std::string with_arguments(std::string_view line, std::string_view arguments);

/// The lines of `expected` that look like no line of `printed`. Words with a digit equal each
/// other, with their units; `…` stands for any words.
[[nodiscard]] std::vector<std::string> lines_not_printed(std::string_view expected,
                                                         std::string_view printed);

}  // namespace soma::guide
