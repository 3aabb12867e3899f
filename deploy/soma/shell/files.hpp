// Files that a person named: they are read whole, or refused with a reason that a person can act
// on.
#pragma once

#include <cstdint>
#include <filesystem>

#include "deploy/soma/shell/failure.hpp"
#include "messages/values/bytes.hpp"

namespace soma::cli {

/// Reads a regular file of at most `max_bytes`. Refusals call the file `what_for`: "the data", "the
/// weights".
[[nodiscard]] expected<bytes, failure> read_named_file(const std::filesystem::path& path,
                                                       std::uint64_t max_bytes,
                                                       std::string_view what_for);

/// The size of such a file in bytes, without reading it.
[[nodiscard]] expected<std::uint64_t, failure> size_of_named_file(const std::filesystem::path& path,
                                                                  std::uint64_t max_bytes,
                                                                  std::string_view what_for);

/// Checks that a new file may be written at `path`: its folder exists, and no file of that name
/// exists unless `may_replace`.
[[nodiscard]] outcome check_new_file(const std::filesystem::path& path, bool may_replace);

}  // namespace soma::cli
