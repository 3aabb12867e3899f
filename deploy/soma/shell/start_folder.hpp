// The folder that the command was started in. Every relative path begins there.
#pragma once

namespace soma::cli {

/// True if it has been removed: then no relative path leads anywhere.
[[nodiscard]] bool is_start_folder_gone();

inline constexpr const char* start_folder_gone =
    "the folder that the command was started in is gone";

}  // namespace soma::cli
