#include "deploy/soma/node/kept_files.hpp"

#include <sys/stat.h>

#include <cerrno>

namespace soma::cli {

kept_files::kept_files(const std::vector<std::filesystem::path>& paths) {
  for (const auto& path : paths) {
    struct stat found {};
    if (::stat(path.c_str(), &found) == 0) all_.push_back({path, found.st_dev, found.st_ino});
  }
}

std::optional<std::filesystem::path> kept_files::first_lost() const {
  for (const auto& one : all_) {
    struct stat found {};
    if (::stat(one.path.c_str(), &found) != 0) {
      if (errno == ENOENT || errno == ENOTDIR) return one.path;
    } else if (found.st_dev != one.device || found.st_ino != one.number) {
      return one.path;
    }
  }
  return std::nullopt;
}

}  // namespace soma::cli
