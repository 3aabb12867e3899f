// Kinds of real files that every Debian machine with this project's packages has. The specialists
// of a local network learn from them if no data is named on the command line. The paths come from
// packages that deploy/setup installs or that every Debian has.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "deploy/soma/shell/failure.hpp"
#include "messages/values/bytes.hpp"

namespace soma::cli {

/// Files of one kind. Their order depends on their paths alone.
struct data_source {
  std::string name;
  std::vector<std::filesystem::path> files;
  /// If true, only the executable segment of an ELF file is taken, without its tables.
  bool only_machine_code = false;
  /// If true, its one file was named itself and not found in a folder. Then a size of 0 is not
  /// believed: the kernel says it of all its files, such as those in /proc.
  bool is_named_file = false;
};

/// The part of a source that comes from one file.
struct source_piece {
  std::filesystem::path file;
  bytes data;
};

/// The kinds "c++", "english", "machine code" and "multilingual", each with the regular, readable
/// files that this machine has. A kind without any file is left out.
[[nodiscard]] std::vector<data_source> default_sources();

/// A source called `name` with the file at `path`, or with all regular files below that folder.
/// Private keys are never data, and neither is what lies in the `home` of the command or in the
/// home of a node: data is revealed, and what soma makes would change what it learns from. Says on
/// the standard error what may not be read.
[[nodiscard]] expected<data_source, failure> source_at(std::string name,
                                                       const std::filesystem::path& path,
                                                       const std::filesystem::path& home);

/// Reads NAME=PATH, where PATH is a file or a folder. Symbolic links in the folder are skipped.
/// Without NAME=, the source is called after the last part of the path.
[[nodiscard]] expected<data_source, failure> parse_source(std::string_view text,
                                                          const std::filesystem::path& home);

/// Reads the files in their order: at most `max_file_bytes` from the start of each, and at most
/// `max_bytes` together. Files that cannot be read or are empty are skipped.
[[nodiscard]] std::vector<source_piece> load_source(const data_source& source,
                                                    std::uint64_t max_bytes,
                                                    std::uint64_t max_file_bytes);

}  // namespace soma::cli
