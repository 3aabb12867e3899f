// Checks the citations of the specifications of the tree. Every number that is cited exists, and
// every numbered rule is cited by a source and by a test.
//
// In a specification (a markdown file of the table below):
//   - A section is a heading `## §8 Submissions`: any number of #, the number, a title.
//   - A rule is a line that begins with its number in bold and a blank: `**§8.1** A claim …`, in
//     CONSENSUS.md `**R5** A vote …`. It belongs to the section above it.
//   - A section without rules is a rule itself.
//   - Each number is defined once.
// A source, a test or another markdown file cites a number in one of these ways:
//   - With the specification's name right before the number: `protocol §8.1`, `Arithmetic §4`.
//     Blanks and a line break with its comment mark or quotes may stand between them.
//   - In a list after one name: `protocol §8.1, §8.2 and §8.4`; `protocol §8.1 to §8.3` cites all
//     three; `protocol §§7-9` and `protocol §§4 and 6` cite sections.
//   - Without a name inside the specification itself. The letters of consensus need no name in the
//     folders that the table names either; elsewhere they are cited as `consensus R5 and E2`.
// A § without a name before it is a finding. Code spans and fences in markdown are not read. A § at
// the end of a string, to which a program adds the number, cites nothing. A citation counts for its
// exact number: §8 is not §8.1. Files below tests/lint are not read.
#pragma once

#include <span>

#include "tests/lint/layers.hpp"

namespace soma::lint {

struct specification {
  std::string_view path;
  std::string_view name;     // the name in citations, in lower case
  std::string_view letters;  // the letters of its numbers; empty when it has § numbers
  std::string_view folder;   // when this folder has a file, the specification must exist
  std::vector<std::string_view> bare_in;  // folders where letters need no name
};

/// The specifications of this tree.
[[nodiscard]] const std::vector<specification>& specifications();

struct text_file {
  std::string path;  // from the root of the tree, with '/'
  std::string text;
};

/// The findings in the specifications and citations of these files.
[[nodiscard]] std::vector<finding> check_citations(std::span<const specification> known,
                                                   std::span<const text_file> files);

/// The findings in all .hpp, .cpp, .capnp and .md files of a tree, by the specifications of this
/// tree.
[[nodiscard]] std::vector<finding> check_citations(const std::filesystem::path& root);

}  // namespace soma::lint
