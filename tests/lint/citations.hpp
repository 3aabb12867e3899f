// The specifications of the tree and their citations. Every number that is cited exists, and every
// numbered rule is cited by a source and by a test.
//
// In a specification (a markdown file of the table below):
//   - A section is a heading `## §8 Submissions`: any number of #, the number, a title.
//   - A rule is a line that begins with its number in bold and a blank: `**§8.1** A claim …`, in
//     CONSENSUS.md `**R5** A vote …`. It belongs to the section above it.
//   - A section without rules is a rule itself.
//   - Each number is defined once.
// How numbers are cited in sources, tests and other markdown:
//   - By the specification's name right before the number: `protocol §8.1`, `Arithmetic §4`. Blanks
//     and a line break with its comment mark or quotes may stand between.
//   - In lists after one name: `protocol §8.1, §8.2 and §8.4`; `protocol §8.1 to §8.3` cites all
//     three; `protocol §§7-9` and `protocol §§4 and 6` cite sections.
//   - Bare inside the specification itself. Consensus' letters also bare in the folders that the
//     table names, elsewhere `consensus R5 and E2`.
//   - A § that no name leads to is a finding. In markdown, code spans and fences are not read. A §
//   at
//     the end of a string, whose number a program puts in, cites nothing.
// A citation counts for its exact number: §8 is not §8.1. Files below tests/lint are not read.
#pragma once

#include <span>

#include "tests/lint/layers.hpp"

namespace soma::lint {

struct specification {
  std::string_view path;
  std::string_view name;     // in citations, lower case
  std::string_view letters;  // of its numbers; empty: §
  std::string_view folder;   // as soon as it has a file the specification has to be there
  std::vector<std::string_view> bare_in;  // folders where letters need no name
};

/// The specifications of this tree.
[[nodiscard]] const std::vector<specification>& specifications();

struct text_file {
  std::string path;  // from the root of the tree, with '/'
  std::string text;
};

/// Everything that is wrong with the specifications and citations among these files.
[[nodiscard]] std::vector<finding> check_citations(std::span<const specification> known,
                                                   std::span<const text_file> files);

/// The same for all .hpp, .cpp, .capnp and .md files of a tree and the specifications of this one.
[[nodiscard]] std::vector<finding> check_citations(const std::filesystem::path& root);

}  // namespace soma::lint
