// A file that is either there whole or as it was before.
#pragma once

#include <filesystem>
#include <span>

#include "messages/types/bytes.hpp"

namespace soma::model {

/// Writes the parts one after the other to a temporary beside `path`, syncs it, renames it over
/// `path`, syncs the folder. Throws std::system_error; the temporary is then gone and `path`
/// untouched.
void write_file_atomically(const std::filesystem::path& path, std::span<const byte_view> parts);

}  // namespace soma::model
