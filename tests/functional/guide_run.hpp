// Runs the blocks of a page as a reader would type them: in bash, in the folder of the tree, with
// an empty home. The tree is a folder of links to this one, so files that a command writes there
// are lost after the run. `build/release` is the build that is tested.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/functional/guide_page.hpp"
#include "tests/support/program.hpp"

namespace soma::guide {

struct tree {
  std::filesystem::path source;  // the root of the tree
  std::filesystem::path binary;  // the program `soma`
};

/// The home of a network that a very short run of `soma localnet` has made. It is made at the first
/// call and shared by all pages of this process.
[[nodiscard]] const std::filesystem::path& short_localnet(const tree& built);

class page_run {
 public:
  explicit page_run(const tree& built);
  /// Ends the programs in the background.
  ~page_run();
  page_run(const page_run&) = delete;
  page_run& operator=(const page_run&) = delete;

  /// Runs a block of commands, writes a file, or compares what the last commands printed. Returns
  /// what was different from the page; empty when nothing was.
  [[nodiscard]] std::string run(const block& one);

 private:
  [[nodiscard]] std::string prepare(const block& one);
  [[nodiscard]] std::string run_commands(const block& one);
  [[nodiscard]] std::string start_background(const block& one);
  [[nodiscard]] std::string write_file(const block& one);
  [[nodiscard]] std::string compare(const block& one) const;
  void interrupt();

  [[nodiscard]] support::finished_program bash(const std::string& script);
  [[nodiscard]] std::vector<std::string> bash_command(const std::string& script,
                                                      std::vector<std::string> words);
  [[nodiscard]] std::string substituted(std::string text) const;
  [[nodiscard]] std::string shown(std::string printed) const;
  [[nodiscard]] std::string substitute_ports(const port_range& range);

  tree built_;
  support::scratch_folder home_;
  int scripts_ = 0;
  std::vector<std::pair<std::string, std::string>> substitutions_;
  std::vector<std::unique_ptr<support::running_program>> background_;
  std::string printed_;  // by the last block of commands
};

}  // namespace soma::guide
