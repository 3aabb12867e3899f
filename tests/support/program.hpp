// Runs a real program as a user would: arguments in, what it wrote and how it ended out.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace soma::support {

/// A folder of its own that goes when it goes.
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
  int exit_code = -1;  // 128 + the signal's number if one ended it
  std::string out, err;
};

/// A child with stdin empty, HOME and SOMA_HOME inside `home`, and its output in files there. A
/// child that still runs when the object goes is killed.
class running_program {
 public:
  running_program(const std::filesystem::path& home, std::vector<std::string> command);
  ~running_program();
  running_program(const running_program&) = delete;
  running_program& operator=(const running_program&) = delete;

  [[nodiscard]] pid_t id() const { return id_; }
  void send(int signal_number) const;
  /// What it wrote so far.
  [[nodiscard]] std::string out() const;
  [[nodiscard]] std::string err() const;
  /// Waits; after `limit` kills it and throws std::runtime_error.
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
