// A training run on disk: everything that its next step depends on. One file, written whole or not
// at all:
//   "SOMACKP1" ‖ fingerprint (32) ‖ layers, dim, heads, ffn, max_seq (u32 each) ‖ step (u64)
//   ‖ count (u64) ‖ parameters ‖ first moments ‖ second moments (count binary32 each, in the order
//   of tensor_table) ‖ H("soma.checkpoint", all before)
// Little endian. A file that is not exactly this is refused.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "messages/types/architecture.hpp"
#include "messages/types/ids.hpp"

namespace soma::model {

struct checkpoint {
  hash256 fingerprint;  // of the options and the data: a run continues only what it began
  model_architecture architecture;
  std::uint64_t step = 0;
  std::vector<float> parameters;
  std::vector<float> first_moments;
  std::vector<float> second_moments;
};

/// Throws std::system_error when the machine fails.
void write_checkpoint(const std::filesystem::path& path, const checkpoint& state);

/// nullopt: not there, cut, flipped, or of another version.
[[nodiscard]] std::optional<checkpoint> read_checkpoint(const std::filesystem::path& path);

}  // namespace soma::model
