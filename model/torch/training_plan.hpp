// What a training run sees at each step: which windows, which positions and directions for SIGReg,
// which learning rate. A pure function of options, data and the step's number, so a resumed run
// needs nothing else, and two ways to compute a step see the same. Inside of model/torch only.
#pragma once

#include <cstdint>
#include <vector>

#include "messages/types/architecture.hpp"
#include "messages/types/ids.hpp"
#include "model/noise/noise.hpp"
#include "model/torch/trainer.hpp"

namespace soma::model::twin {

/// Letters: N rows, S slots, D dim, K slices.
struct step_input {
  std::int64_t rows = 0;
  std::int64_t slots = 0;
  std::vector<std::int64_t> ids;          // [N * S]
  std::vector<std::int64_t> targets;      // [N * S], PAD where there is nothing to predict
  std::vector<std::int64_t> sigreg_rows;  // which of the N * S positions; may repeat
  std::vector<float> sigreg_noise;        // [D * K] standard normals; empty without positions
};

struct training_plan {
  trainer_options options;
  model_architecture architecture;
  std::vector<bytes> data;  // none of them empty

  [[nodiscard]] step_input draw(std::uint64_t step) const;
  [[nodiscard]] double rate_at(std::uint64_t step) const;
  /// What the run is: continuing it with anything else would be another run.
  [[nodiscard]] hash256 fingerprint() const;
  [[nodiscard]] std::int64_t slots_at(std::uint64_t step) const;
  /// The most positions, N * S, that a step has.
  [[nodiscard]] std::uint64_t positions() const;

 private:
  void draw_windows(noise_generator& noise, step_input& drawn) const;
};

/// Options and data as they come from outside. The architecture is the caller's to fill in.
[[nodiscard]] expected<training_plan, train_refusal> make_plan(std::vector<bytes> data,
                                                               trainer_options options);

/// AdamW's constants, by whoever updates.
inline constexpr double adamw_beta_1 = 0.9;
inline constexpr double adamw_beta_2 = 0.95;
inline constexpr double adamw_epsilon = 1e-8;

/// Smoothed bits per byte and the speed so far.
class progress_meter {
 public:
  /// `input` is what the step that brought the run to `done` steps has seen.
  [[nodiscard]] train_progress record(std::uint64_t done, const training_plan& plan,
                                      const step_input& input, double loss, double cross_entropy,
                                      double seconds);

 private:
  double smoothed_bits_ = 0;
  std::uint64_t bytes_ = 0;
  double seconds_ = 0;
};

}  // namespace soma::model::twin
