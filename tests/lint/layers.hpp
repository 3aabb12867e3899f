// Checks which folders a file may include, and that each third-party header is included in its one
// folder only.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace soma::lint {

struct finding {
  std::string path;
  std::size_t line = 0;  // counts from 1
  std::string what;
  friend bool operator==(const finding&, const finding&) = default;
};

/// Findings in one source file. `path` begins at the root of the tree, has '/', and decides which
/// rules hold.
[[nodiscard]] std::vector<finding> check_includes(std::string_view path, std::string_view text);

/// Finds unfinished work, tabs, lines over 100 columns (120 in schemas), trailing blanks, a missing
/// newline at the end, and files over 400 lines outside tests.
[[nodiscard]] std::vector<finding> check_shape(std::string_view path, std::string_view text);

using check = std::vector<finding> (*)(std::string_view path, std::string_view text);

/// Runs one check over every .hpp, .cpp and .capnp file below the folders of the tree, in the order
/// of their paths.
[[nodiscard]] std::vector<finding> check_tree(const std::filesystem::path& root, check run);

}  // namespace soma::lint
