// Files that a person named: read whole, refused with a reason a person can act on.
#pragma once

#include <cstdint>
#include <filesystem>

#include "deploy/soma/shell/failure.hpp"
#include "messages/values/bytes.hpp"

namespace soma::cli {

/// A regular file of at most `max_bytes`. `what_for` stands in refusals: "the data", "the weights".
[[nodiscard]] expected<bytes, failure> read_named_file(const std::filesystem::path& path,
                                                       std::uint64_t max_bytes,
                                                       std::string_view what_for);

/// The size of such a file, which is not read.
[[nodiscard]] expected<std::uint64_t, failure> size_of_named_file(const std::filesystem::path& path,
                                                                  std::uint64_t max_bytes,
                                                                  std::string_view what_for);

/// A place where a new file may be written: the folder exists, and nothing stands there unless
/// `may_replace`.
[[nodiscard]] outcome check_new_file(const std::filesystem::path& path, bool may_replace);

}  // namespace soma::cli
