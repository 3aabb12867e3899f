// The checkpoint of a training run: everything that its next step depends on. It is one file,
// which is replaced as a whole or not at all. Its parts follow each other, and all integers are
// little endian:
//
//   "SOMACKP1"                          8 bytes
//   fingerprint                        32 bytes
//   layers, dim, heads, ffn, max_seq    5 u32
//   0                                   u32
//   step                                u64
//   count of the parameters             u64
//   parameters                          count binary32, in the order of weights::tensor_table
//   first moments m                     count binary32
//   second moments v                    count binary32
//   H("soma.checkpoint", all before)   32 bytes
//
// A file of any other form is refused.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "messages/values/architecture.hpp"
#include "messages/values/ids.hpp"

namespace soma::training {

struct checkpoint {
  hash256 fingerprint;  // of the options and the data: only the same run continues from it
  model_architecture architecture;
  std::uint64_t step = 0;
  std::vector<float> parameters;
  std::vector<float> first_moments;   // AdamW's m
  std::vector<float> second_moments;  // AdamW's v
};

/// Throws std::system_error when the machine fails.
void write_checkpoint(const std::filesystem::path& path, const checkpoint& state);

/// nullopt if the file is missing, cut, damaged or of another version.
[[nodiscard]] std::optional<checkpoint> read_checkpoint(const std::filesystem::path& path);

}  // namespace soma::training
