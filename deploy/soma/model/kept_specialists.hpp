// The specialists that local networks of a home have trained, so that a network whose data and
// options of training are the same does not train them again. A file
//
//   KEY-WEIGHTS.safetensors     is a trained specialist
//   KEY.checkpoint              is one whose training was stopped
//
// KEY are the first 32 hex digits of the hash of everything that its training depends on: the
// options, the data, the version of the program, and the weights after one step, since the bits of
// training differ between kinds of processors. WEIGHTS are the first 16 of the weights' hash.
//
// What must hold: what is taken from here has the bits that training would give. A file that does
// not have the hash of its name is not taken. Each file is there as a whole or not at all, and may
// be removed at any time. One process at a time writes into a folder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "model/training/trainer.hpp"
#include "model/weights/weights.hpp"

namespace soma::cli {

/// The most files that stay in the folder; the ones that were used longest ago go first.
inline constexpr std::size_t max_kept_specialists = 64;

/// The key of a training. Takes one step of it. Throws std::runtime_error if that fails.
[[nodiscard]] std::string training_key(const weights::model_weights& start,
                                       const std::vector<bytes>& data,
                                       training::trainer_options options);

class kept_specialists {
 public:
  explicit kept_specialists(std::filesystem::path folder) : folder_(std::move(folder)) {}

  /// The specialist with that key, if it is kept and whole.
  [[nodiscard]] std::optional<weights::model_weights> find(const std::string& key) const;
  /// Keeps a specialist, and removes its checkpoint. Throws when the machine fails.
  void keep(const std::string& key, const weights::model_weights& trained) const;
  /// Where the checkpoint of that training belongs. Makes the folder.
  [[nodiscard]] std::filesystem::path checkpoint(const std::string& key) const;

 private:
  std::filesystem::path folder_;
};

}  // namespace soma::cli
