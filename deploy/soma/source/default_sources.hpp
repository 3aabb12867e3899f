// Kinds of real files that a Debian machine with this project's packages surely has: what
// localnet's specialists learn from when nobody names data. The paths come from packages that
// deploy/setup installs or that every Debian has.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "deploy/soma/shell/failure.hpp"
#include "messages/values/bytes.hpp"

namespace soma::cli {

/// Files of one kind, in an order that depends on their paths alone.
struct data_source {
  std::string name;
  std::vector<std::filesystem::path> files;
  bool only_machine_code = false;  // of an ELF file take the executable segment, not its tables
};

/// One file's part of a source.
struct source_piece {
  std::filesystem::path file;
  bytes data;
};

/// "c++", "english", "machine code" and "multilingual", each with the regular, readable files found
/// here. A kind of which nothing is found is left out.
[[nodiscard]] std::vector<data_source> default_sources();

/// The file, or the regular files of the folder, under a name.
[[nodiscard]] expected<data_source, failure> source_at(std::string name,
                                                       const std::filesystem::path& path);

/// NAME=PATH, where PATH is a file or a folder (walked, symbolic links not followed). NAME= may be
/// missing: the last part of the path stands in.
[[nodiscard]] expected<data_source, failure> parse_source(std::string_view text);

/// The files' bytes in order, at most `max_file_bytes` from the start of each and `max_bytes` of
/// all. Files that cannot be read, or are empty, are skipped.
[[nodiscard]] std::vector<source_piece> load_source(const data_source& source,
                                                    std::uint64_t max_bytes,
                                                    std::uint64_t max_file_bytes);

}  // namespace soma::cli
