#include "deploy/soma/source/new_folders.hpp"

#include <system_error>

namespace soma::cli {
namespace fs = std::filesystem;

new_folders::new_folders(const fs::path& wanted) {
  std::error_code ignored;
  auto folder = wanted.has_filename() ? wanted : wanted.parent_path();
  while (!folder.empty() &&
         fs::symlink_status(folder, ignored).type() == fs::file_type::not_found) {
    missing_.push_back(folder);
    folder = folder.parent_path();
  }
}

new_folders::~new_folders() {
  std::error_code ignored;
  for (const auto& folder : missing_) {
    // remove() leaves a folder that holds something, and so does this.
    if (fs::is_directory(folder, ignored)) fs::remove(folder, ignored);
  }
}

}  // namespace soma::cli
