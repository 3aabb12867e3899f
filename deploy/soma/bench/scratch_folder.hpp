// The folder in which a benchmark makes its ledgers.
#pragma once

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include "deploy/soma/shell/verb.hpp"

namespace soma::cli {

/// Removes the folder, with all that is in it, when the object is destroyed.
class scratch_folder {
 public:
  /// Makes a folder whose name begins with `name` in `parent`, or in the system's folder for
  /// temporary files if `parent` is empty. Refuses when that is not possible.
  [[nodiscard]] static expected<scratch_folder, failure> make(const std::string& name,
                                                              std::filesystem::path parent) {
    std::error_code error;
    if (parent.empty()) {
      parent = std::filesystem::temp_directory_path(error);
      if (error) {
        return failed("cannot use the folder for temporary files" + named_by_environment(),
                      error.message(), "set TMPDIR, or choose a folder by --dir");
      }
    }
    const auto stamp = std::chrono::steady_clock::now().time_since_epoch().count();
    scratch_folder made(parent / (name + "-" + std::to_string(stamp)));
    std::filesystem::create_directories(made.path(), error);
    if (error) {
      return failed("cannot make " + made.path().string(), error.message(), "choose another --dir");
    }
    return made;
  }
  scratch_folder(scratch_folder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  scratch_folder& operator=(scratch_folder&&) = delete;
  ~scratch_folder() {
    std::error_code left;
    if (!path_.empty()) std::filesystem::remove_all(path_, left);
  }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  /// Leaves the folder where it is.
  void keep() { path_.clear(); }

 private:
  /// The standard library does not say which folder it has refused.
  static std::string named_by_environment() {
    for (const auto* name : {"TMPDIR", "TMP", "TEMP", "TEMPDIR"}) {
      if (const auto* value = std::getenv(name))
        return std::string(" that ") + name + " names, " + value;
    }
    return ", /tmp";
  }
  explicit scratch_folder(std::filesystem::path where) : path_(std::move(where)) {}

  std::filesystem::path path_;
};

}  // namespace soma::cli
