// A folder with everything that random command lines name: data, weights, keys, certificates, the
// home of a node, odd files, and a canary beside it. It can be compared with itself: no file may
// change that a command line did not name.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "tests/support/program.hpp"

namespace soma::fuzz {

/// What is known of one file. The content counts by its hash up to 2 MiB, above by size and time.
struct file_state {
  mode_t mode = 0;
  std::uint64_t size = 0, changed_ns = 0, hash = 0;  // 0 for folders, whose time means nothing
  std::string target;                                // of a symbolic link
  friend bool operator==(const file_state&, const file_state&) = default;
};
/// Every file below a folder by its path, with links not followed.
using folder_state = std::map<std::filesystem::path, file_state>;
[[nodiscard]] folder_state look_at(const std::filesystem::path& folder);

/// How a run ended.
struct ended_run {
  int exit_code = -1;        // 128 + the signal's number if a signal ended it
  bool was_stopped = false;  // it still ran after `patience`, and was sent SIGTERM
  bool hung = false;         // it did not leave then, and was killed
  std::string out, err;      // at most 1 MiB of each
};

class sandbox {
 public:
  /// Makes the folder below `place`, with the program itself where only it can make a file:
  /// weights, keys, certificates and the homes of a network. An empty `program` leaves those files
  /// out; then the words of a line can be read, but not run. Throws std::runtime_error on failure.
  sandbox(const std::filesystem::path& place, std::string program);
  ~sandbox();
  sandbox(const sandbox&) = delete;
  sandbox& operator=(const sandbox&) = delete;

  /// The working directory of every run.
  [[nodiscard]] std::filesystem::path folder() const { return place_ / "box"; }
  [[nodiscard]] std::filesystem::path home() const { return folder() / "home"; }
  [[nodiscard]] std::filesystem::path user_home() const { return folder() / "user"; }
  /// The folder with the sandbox and the canary.
  [[nodiscard]] const std::filesystem::path& place() const { return place_; }
  [[nodiscard]] const folder_state& state() const { return state_; }

  /// Makes everything as it was.
  void restore();
  /// Runs the program with these words. After `patience` it gets SIGTERM and has `patience` once
  /// more to leave. Its standard input is empty, it has no terminal, and no file of it can become
  /// larger than 256 MiB.
  [[nodiscard]] ended_run run(const std::vector<std::string>& words,
                              std::chrono::milliseconds patience) const;

 private:
  void make();
  std::filesystem::path place_;
  std::string program_;
  folder_state state_;
};

}  // namespace soma::fuzz
