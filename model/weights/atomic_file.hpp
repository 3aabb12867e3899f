// Replaces a file as a whole. After a failure the file is as it was before.
#pragma once

#include <filesystem>
#include <span>

#include "messages/values/bytes.hpp"

namespace soma::weights {

/// Writes the parts, one after the other, to a temporary file beside `path`, syncs it, renames it
/// to `path`, and syncs the folder. When it throws std::system_error, the temporary file is gone.
/// `path` is then untouched, unless only the folder could not be synced.
void write_file_atomically(const std::filesystem::path& path, std::span<const byte_view> parts);

}  // namespace soma::weights
