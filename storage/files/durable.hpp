// Files and directories whose names survive a power cut: a new name is durable only once the
// directory that holds it has been synced.
#pragma once

#include <filesystem>

#include "messages/values/bytes.hpp"

namespace soma::files {

/// Throws std::system_error.
void sync_directory(const std::filesystem::path& directory);

/// Creates the missing directories of the path with mode 0700 and makes each new entry durable.
/// Throws std::system_error.
void create_directories_durably(const std::filesystem::path& directory);

/// Writes a file that is either whole or not there under its name: the bytes go to `<name>.part`
/// beside it, which is synced and then renamed. The new name is durable once the directory has been
/// synced. Throws std::system_error.
void write_durably(const std::filesystem::path& file, byte_view data);

/// Moves the directory `made` to `place` in one step that is durable when it returns. If there was
/// a directory at `place`, it has the name `made` afterwards. Throws std::system_error.
void replace_directory(const std::filesystem::path& made, const std::filesystem::path& place);

}  // namespace soma::files
