// Runs a real program as a user would: takes its arguments, and returns what it wrote and how it
// ended.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace soma::support {

/// A folder of a test's own, which the destructor removes.
class scratch_folder {
 public:
  scratch_folder();
  ~scratch_folder();
  scratch_folder(const scratch_folder&) = delete;
  scratch_folder& operator=(const scratch_folder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path operator/(const std::string& name) const {
    return path_ / name;
  }

 private:
  std::filesystem::path path_;
};

struct finished_program {
  int exit_code = -1;  // 128 + the signal's number if a signal ended it
  std::string out, err;
};

/// A child with an empty stdin, with HOME and SOMA_HOME inside `home`, and with its output in files
/// there. The destructor kills a child that still runs.
class running_program {
 public:
  running_program(const std::filesystem::path& home, std::vector<std::string> command);
  ~running_program();
  running_program(const running_program&) = delete;
  running_program& operator=(const running_program&) = delete;

  [[nodiscard]] pid_t id() const { return id_; }
  void send(int signal_number) const;
  /// The output so far.
  [[nodiscard]] std::string out() const;
  [[nodiscard]] std::string err() const;
  /// Waits for the end. After `limit` it kills the child and throws std::runtime_error.
  [[nodiscard]] finished_program wait(std::chrono::seconds limit = std::chrono::seconds(60));

 private:
  std::filesystem::path folder_;
  pid_t id_ = -1;
};

[[nodiscard]] finished_program run_program(const std::filesystem::path& home,
                                           std::vector<std::string> command,
                                           std::chrono::seconds limit = std::chrono::seconds(60));

void write_text(const std::filesystem::path& path, const std::string& text);
[[nodiscard]] std::string read_text(const std::filesystem::path& path);

}  // namespace soma::support
