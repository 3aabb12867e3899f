// The data of a local network: what is trained on, what is held out.
#pragma once

#include <filesystem>
#include <vector>

#include "messages/values/bytes.hpp"

namespace soma::localnet {

struct localnet_source;

struct split_source {
  std::vector<bytes> training;
  bytes held_out;  // the last eighth of every file, one after the other
};
[[nodiscard]] split_source split(const localnet_source& source);

/// Throws std::runtime_error when the disk does not take it.
void write_file(const std::filesystem::path& path, byte_view content);

}  // namespace soma::localnet
