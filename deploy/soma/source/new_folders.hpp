// The folders that a command makes for its files: they go away again if the command fails, so that
// nothing empty is left behind.
#pragma once

#include <filesystem>
#include <vector>

namespace soma::cli {

class new_folders {
 public:
  /// Remembers which folders of the path `wanted` are missing now. Makes none of them.
  explicit new_folders(const std::filesystem::path& wanted);
  new_folders(const new_folders&) = delete;
  new_folders& operator=(const new_folders&) = delete;
  /// Removes those that were missing and are empty, unless keep() was called.
  ~new_folders();
  void keep() { missing_.clear(); }

 private:
  std::vector<std::filesystem::path> missing_;  // the deepest first
};

}  // namespace soma::cli
