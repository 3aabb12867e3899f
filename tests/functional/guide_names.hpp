// Compares a page with the program and the tree: the verbs, options, files and links that it names
// have to exist.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/functional/guide_run.hpp"

namespace soma::guide {

class name_checker {
 public:
  explicit name_checker(const tree& built) : built_(built) {}

  /// The names of a page that do not exist, each with its line. It looks at:
  ///   commands and inline code that begin with `soma`: the verb, and each of its options
  ///   inline code that begins with `--`: an option of a verb of the same section or page
  ///   inline code that looks like a path of the tree: the file or folder
  ///   programs of deploy/ and tests/: the file; of build/release/: the source of its name
  [[nodiscard]] std::vector<std::string> missing(const page& one);

 private:
  [[nodiscard]] std::string command_fault(shell_words words);
  [[nodiscard]] std::string soma_fault(const shell_words& words);
  [[nodiscard]] std::string option_fault(const page& one, const span& named);
  [[nodiscard]] std::string path_fault(const std::string& path) const;
  /// The help of the verb that the words begin with; empty when there is none.
  [[nodiscard]] const std::string& help_of(const shell_words& words);
  [[nodiscard]] const std::string& help_text(const std::string& verb);
  /// The help of all verbs that a page names, or a section of it.
  [[nodiscard]] std::string help_of_page(const page& one, std::size_t section, bool is_whole);

  tree built_;
  std::map<std::string, std::string> helps_;
};

}  // namespace soma::guide
