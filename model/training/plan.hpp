// The input of each step of a training run: the windows of the data, the positions and directions
// for SIGReg, and the learning rate. All of it is a pure function of the options, the data and the
// number of the step, so a resumed run needs nothing else, and the trainer and its reference get
// the same input. For model/training and its reference only.
#pragma once

#include <cstdint>
#include <vector>

#include "messages/values/architecture.hpp"
#include "messages/values/ids.hpp"
#include "model/noise/noise.hpp"
#include "model/training/trainer.hpp"

namespace soma::training {

/// Letters: B sequences (windows of the data), S tokens each, D dim, K slices of SIGReg.
struct step_input {
  std::int64_t sequences = 0;                  // B
  std::int64_t length = 0;                     // S
  std::vector<std::int64_t> ids;               // [B][S] tokens
  std::vector<std::int64_t> targets;           // [B][S]; PAD where there is nothing to predict
  std::vector<std::int64_t> sigreg_positions;  // some of the B * S; a position may come twice
  std::vector<float> sigreg_noise;             // [D][K] standard normals; empty without positions
};

struct training_plan {
  trainer_options options;
  model_architecture architecture;
  std::vector<bytes> data;  // at least one buffer; every buffer has at least one byte

  [[nodiscard]] step_input draw(std::uint64_t step) const;
  [[nodiscard]] double learning_rate_at(std::uint64_t step) const;
  /// Identifies the run. Runs with other options or other data have another fingerprint.
  [[nodiscard]] hash256 fingerprint() const;
  /// S of a step: short windows first, long ones later.
  [[nodiscard]] std::int64_t length_at(std::uint64_t step) const;
  /// The most positions, B * S, that a step has.
  [[nodiscard]] std::uint64_t max_positions() const;

 private:
  void draw_windows(noise::noise_generator& noise, step_input& drawn) const;
};

/// Checks options and data that come from outside. The caller fills in the architecture.
[[nodiscard]] expected<training_plan, train_refusal> make_plan(std::vector<bytes> data,
                                                               trainer_options options);

/// AdamW's constants.
inline constexpr double adamw_beta_1 = 0.9;
inline constexpr double adamw_beta_2 = 0.95;
inline constexpr double adamw_epsilon = 1e-8;

/// Smooths bits per byte over the steps and measures the speed of the run.
class progress_meter {
 public:
  /// `input` is the input of the step that brought the run to `done` steps.
  [[nodiscard]] train_progress record(std::uint64_t done, const training_plan& plan,
                                      const step_input& input, double loss, double cross_entropy,
                                      double seconds);

 private:
  double smoothed_bits_ = 0;
  std::uint64_t bytes_ = 0;
  double seconds_ = 0;
};

}  // namespace soma::training
