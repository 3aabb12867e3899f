// Safetensors files made by hand, and a folder on disk for them.
#pragma once

#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <string>

#include "model/weights/weights.hpp"

namespace soma::test {

/// A file with this header, padded to a multiple of 8 unless `pad` is false, and this data.
inline bytes file_of(std::string header, byte_view data, bool pad = true) {
  if (pad) header.resize((header.size() + 7) / 8 * 8, ' ');
  const std::uint64_t size = header.size();
  bytes file(8 + header.size() + data.size());
  std::memcpy(file.data(), &size, 8);
  std::memcpy(file.data() + 8, header.data(), header.size());
  if (!data.empty()) std::memcpy(file.data() + 8 + header.size(), data.data(), data.size());
  return file;
}

/// The header that the Python packages write: names in lexicographic order and no metadata.
inline std::string python_header(const model_architecture& arch) {
  std::string text = "{";
  std::uint64_t offset = 0;
  for (const auto& spec : weights::tensor_table(arch)) {
    if (text.size() > 1) text += ",";
    text += "\"" + spec.name + "\":{\"dtype\":\"F32\",\"shape\":[";
    for (std::size_t i = 0; i < spec.shape.size(); ++i) {
      if (i > 0) text += ",";
      text += std::to_string(spec.shape[i]);
    }
    text += "],\"data_offsets\":[" + std::to_string(offset) + "," +
            std::to_string(offset + 4 * spec.elements()) + "]}";
    offset += 4 * spec.elements();
  }
  return text + "}";
}

/// A folder of this process, which is removed at the end of its scope.
struct temporary_folder {
  std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("soma-weights-" + std::to_string(::getpid()));
  temporary_folder() { std::filesystem::create_directories(path); }
  ~temporary_folder() { std::filesystem::remove_all(path); }
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;
};

}  // namespace soma::test
