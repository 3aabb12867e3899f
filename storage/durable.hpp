// Directory entries that survive a power cut: a new name is durable only once the directory that
// holds it is synced.
#pragma once

#include <filesystem>

namespace soma::storage {

/// Throws std::system_error.
void sync_directory(const std::filesystem::path& directory);

/// Creates what is missing of the path, mode 0700, and makes each new entry durable. Throws
/// std::system_error.
void create_directories_durably(const std::filesystem::path& directory);

}  // namespace soma::storage
