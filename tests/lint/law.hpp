// Checks the law of the tree: a folder builds exactly one library, the library and the namespace
// have the name of the folder, the tests lie under the same path, and a folder stays small enough
// to read. tests/lint/exceptions.txt lists the exceptions, one per line. That list may only shrink:
// its first line says how many lines it may have, and a line that is no longer needed is a finding.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tests/lint/layers.hpp"

namespace soma::lint {

/// A folder holds at most this many sources (.hpp, .cpp and .capnp together).
inline constexpr std::size_t max_folder_files = 25;

/// The text of every source, CMakeLists.txt and exceptions.txt, by its path from the root.
using source_tree = std::map<std::string, std::string, std::less<>>;

/// Reads all files below `root` that the law needs.
[[nodiscard]] source_tree read_tree(const std::filesystem::path& root);

/// The violations of the law, in the order of the paths. `exceptions` has the form of
/// exceptions.txt:
///
///     at most N lines
///     files FOLDER N                    FOLDER may hold up to N sources
///     namespace PATH NAME               PATH may open the namespace soma::NAME too
///     library FOLDER                    FOLDER belongs to the library of the folder above it
///     untested PATH TEST                PATH has no test of its own name; TEST covers it
///     unmirrored TEST                   TEST is about several sources, or about the whole program
[[nodiscard]] std::vector<finding> check_law(const source_tree& tree, std::string_view exceptions);

}  // namespace soma::lint
