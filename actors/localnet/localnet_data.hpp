// The data of a local network: one part for training, and one part that is held out.
#pragma once

#include <filesystem>
#include <vector>

#include "messages/values/bytes.hpp"

namespace soma::localnet {

struct localnet_source;

struct split_source {
  std::vector<bytes> training;
  bytes held_out;  // the last eighth of every file, joined
};
[[nodiscard]] split_source split(const localnet_source& source);

/// Throws std::system_error when the file can't be written.
void write_file(const std::filesystem::path& path, byte_view content);

}  // namespace soma::localnet
