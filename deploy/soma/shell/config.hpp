// Configuration files: a TOML file is read and becomes a JSON value with the same content. Tables
// keep their names; dates and times become text.
#pragma once

#include <filesystem>

#include "deploy/soma/shell/failure.hpp"
#include "deploy/soma/shell/json.hpp"

namespace soma::cli {

/// Reads a TOML file of at most 1 MiB and at most 64 tables within each other. A refusal names the
/// line that is wrong. Every value of the result knows its line.
[[nodiscard]] expected<json, failure> read_config(const std::filesystem::path& path);

/// Reads a TOML text. Refusals show `name` where read_config() shows the name of the file.
[[nodiscard]] expected<json, failure> parse_config(std::string_view text, std::string_view name);

/// "line 7: " for a value that was read from a file, else an empty text. The reason why a value of
/// a configuration is refused begins with it.
[[nodiscard]] std::string line_of(const json& value);

/// Writes an object of values and tables as TOML. A member that is null becomes a comment:
/// "# name = (not set)".
[[nodiscard]] std::string to_toml(const json& document);

}  // namespace soma::cli
