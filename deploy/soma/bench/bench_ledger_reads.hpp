#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "deploy/soma/bench/bench.hpp"

namespace soma::cli {

/// What the commands that read a ledger cost on an old chain, held against the same on a new one.
/// Each opens the ledger for reading, which nothing else may have open, and reads what the command
/// reads. Only the start of the program and its output are not part of it. `after` ends the names
/// of the rows.
[[nodiscard]] std::vector<bench_row> compare_reads(const std::filesystem::path& old_ledger,
                                                   const std::filesystem::path& new_ledger,
                                                   const std::string& after, double seconds);

}  // namespace soma::cli
