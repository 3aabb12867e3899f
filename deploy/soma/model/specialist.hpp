// How a specialist of a local network is trained: it starts with fresh weights, the trainer trains
// it, and then the embedding of what it learned is measured.
#pragma once

#include <filesystem>
#include <functional>

#include "actors/trainer/trainer.hpp"
#include "messages/values/architecture.hpp"
#include "model/weights/weights.hpp"

namespace soma::cli {

struct specialist_plan {
  model_architecture architecture;
  std::uint64_t steps = 0;
  std::uint32_t batch = 0;
  /// Is called in the training thread after every step with the steps done so far, bits per byte,
  /// and bytes per second.
  std::function<void(std::uint64_t, float, double)> on_step;
  /// The folder of trained specialists; empty if none are kept. What is kept there already is taken
  /// from there, and a training that was stopped goes on from its checkpoint.
  std::filesystem::path kept_in;
  /// Is called in place of on_step if the specialist was kept.
  std::function<void()> on_kept;
  /// Trains it even if it is kept.
  bool trains_anew = false;
};

/// Trains on `data`. Throws std::runtime_error if it cannot, or if it was asked to stop. The result
/// has the same bits whether it was kept, its training went on after a stop, or neither.
[[nodiscard]] trainer::trained_model train_specialist(const specialist_plan& plan,
                                                      const std::vector<bytes>& data,
                                                      std::uint64_t seed);

/// The mean of the model's embeddings of pieces of its data, which it registers as its speciality.
/// It has D values, where D is the architecture's dim. Throws std::runtime_error if no piece can be
/// embedded.
[[nodiscard]] std::vector<float> speciality_of(const weights::model_weights& trained,
                                               const std::vector<bytes>& data);

}  // namespace soma::cli
