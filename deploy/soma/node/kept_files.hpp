// Files that a process works on for as long as it runs. One that is removed or replaced meanwhile
// is still there for whoever has it open, so nothing fails: the work would go on, and be lost when
// the process ends.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <vector>

namespace soma::cli {

class kept_files {
 public:
  /// Of these paths, those that exist now are watched.
  explicit kept_files(const std::vector<std::filesystem::path>& paths);
  /// The first one whose name is gone, or names another file now. A path that cannot be looked at
  /// for another reason counts as there: the disk may come back.
  [[nodiscard]] std::optional<std::filesystem::path> first_lost() const;

 private:
  struct kept {
    std::filesystem::path path;
    dev_t device;
    ino_t number;
  };
  std::vector<kept> all_;
};

}  // namespace soma::cli
