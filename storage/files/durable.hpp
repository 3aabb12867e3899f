// Directory entries that survive a power cut: a new name is durable only once the directory that
// holds it is synced.
#pragma once

#include <filesystem>

#include "messages/values/bytes.hpp"

namespace soma::files {

/// Throws std::system_error.
void sync_directory(const std::filesystem::path& directory);

/// Creates what is missing of the path, mode 0700, and makes each new entry durable. Throws
/// std::system_error.
void create_directories_durably(const std::filesystem::path& directory);

/// A file of these bytes, whole or not there under its name: written beside it as `<name>.part`,
/// synced and renamed. Its name is durable once the directory is synced. Throws std::system_error.
void write_durably(const std::filesystem::path& file, byte_view data);

/// Puts a directory in the place of another, or where none is, in one step that is durable when it
/// returns. What was there has the name of what came. Throws std::system_error.
void replace_directory(const std::filesystem::path& made, const std::filesystem::path& place);

}  // namespace soma::files
