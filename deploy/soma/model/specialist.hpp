// How a local network's specialist is trained: fresh weights, the trainer, and the embedding of
// what it learned.
#pragma once

#include <functional>

#include "actors/trainer/trainer.hpp"
#include "messages/values/architecture.hpp"
#include "model/weights/weights.hpp"

namespace soma::cli {

struct specialist_plan {
  model_architecture architecture;
  std::uint64_t steps = 0;
  std::uint32_t batch = 0;
  /// Called in the training thread after every step: steps done, bits per byte, bytes per second.
  std::function<void(std::uint64_t, float, double)> on_step;
};

/// Trains on `data`; throws std::runtime_error when it cannot, or when it was asked to stop.
[[nodiscard]] trainer::trained_model train_specialist(const specialist_plan& plan,
                                                      const std::vector<bytes>& data,
                                                      std::uint64_t seed);

/// The mean of the model's embeddings over pieces of its data: what it registers as its speciality.
/// D values.
[[nodiscard]] std::vector<float> speciality_of(const weights::model_weights& trained,
                                               const std::vector<bytes>& data);

}  // namespace soma::cli
