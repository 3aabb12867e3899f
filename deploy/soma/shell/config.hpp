// Configuration files: TOML in, the same values as JSON out. Tables keep their names; dates and
// times stay text.
#pragma once

#include <filesystem>

#include "deploy/soma/shell/failure.hpp"
#include "deploy/soma/shell/json.hpp"

namespace soma::cli {

/// Reads a TOML file of at most 1 MiB. Refusals name the line.
[[nodiscard]] expected<json, failure> read_config(const std::filesystem::path& path);

/// The same for a text; `name` stands in for the file's in refusals.
[[nodiscard]] expected<json, failure> parse_config(std::string_view text, std::string_view name);

/// An object of values and tables as TOML. Members that are null become comments: "# name = (not
/// set)".
[[nodiscard]] std::string to_toml(const json& document);

}  // namespace soma::cli
