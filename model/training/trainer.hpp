// Trains one model on bytes with AdamW. The learning rate warms up and then falls along a cosine to
// a floor. The windows of the data are drawn by a seed, and the loss is the protocol's:
// cross-entropy + 0.02 SIGReg, the latter on a random subset of the positions. The seed determines
// the run: the same start, data and options give the same bits on one machine, with any number of
// threads, and also when the run was stopped and resumed. Several trainers may run in several
// threads; each one belongs to one thread at a time and keeps options.threads threads of its own.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>
#include <string_view>
#include <vector>

#include "messages/values/bytes.hpp"
#include "messages/values/expected.hpp"
#include "model/weights/weights.hpp"

namespace soma::training {

enum class train_refusal : std::uint8_t {
  no_data,
  bad_options,
  checkpoint_unreadable,
  checkpoint_of_another_run,
  diverged,
  precision_unsupported,
};
[[nodiscard]] std::string_view to_text(train_refusal refusal);

struct train_progress {
  std::uint64_t step = 0;  // steps done
  std::uint64_t total = 0;
  float loss = 0;               // of the last step
  float bits_per_byte = 0;      // smoothed over about the last 20 steps
  double bytes_per_second = 0;  // since this process began to train
};

/// The precision to which the factors of matrix products are rounded. Weights, moments, sums and
/// everything else are binary32 in both cases.
enum class train_precision : std::uint8_t {
  f32,
  bf16,  // only on processors that multiply bfloat16 (AVX512-BF16)
};

/// Whether backward computes a layer's activations again (activation checkpointing) or forward
/// keeps them. Computing them again costs a third more work, needs a fraction of the memory, and
/// gives the same bits. `automatic` computes them again when they need more than
/// options.activation_bytes.
enum class train_recompute : std::uint8_t { automatic, never, always };

struct trainer_options {
  std::uint64_t steps = 1'000;
  std::uint32_t batch = 4;   // windows of the longest length per step
  std::uint32_t window = 0;  // tokens of the longest window; 0 = the architecture's max_seq
  /// The first part of the steps, as a fraction, that has windows a quarter as long and four times
  /// as many of them.
  float short_share = 0.5f;
  float learning_rate = 4e-3f;  // at the end of the warm-up
  float floor = 0.05f;          // the learning rate at the end, as a fraction of learning_rate
  std::uint64_t warmup_steps = 20;
  float weight_decay = 0.05f;           // of matrices only
  float gradient_clip = 1.0f;           // the largest norm over all parameters
  std::uint32_t sigreg_positions = 32;  // positions of SIGReg per step; 0 turns SIGReg off
  std::uint64_t seed = 0;
  std::uint32_t threads = 1;  // at least 1; the bits of the result do not depend on it
  train_precision precision = train_precision::f32;
  train_recompute recompute = train_recompute::automatic;
  std::uint64_t activation_bytes = 0;  // 0 = half of the machine's memory
  std::filesystem::path checkpoint;    // no checkpoint is written when it is empty
  std::uint64_t checkpoint_every = 0;  // steps; 0 = only at the end of run()
  /// Called after every step, in the training thread.
  std::function<void(const train_progress&)> on_progress;
};

class trainer {
 public:
  /// Windows are drawn from all buffers of `data`, each byte being as likely as any other to begin
  /// one. No window crosses from one buffer to the next.
  [[nodiscard]] static expected<trainer, train_refusal> start(const weights::model_weights& from,
                                                              std::vector<bytes> data,
                                                              trainer_options options);
  /// Continues the run of a checkpoint. Data and options must be those the run began with, except
  /// for threads, recompute, activation_bytes, the checkpoint's path, its interval and on_progress.
  [[nodiscard]] static expected<trainer, train_refusal> resume(const std::filesystem::path& from,
                                                               std::vector<bytes> data,
                                                               trainer_options options);
  trainer(trainer&&) noexcept;
  trainer& operator=(trainer&&) noexcept;
  ~trainer();

  [[nodiscard]] std::uint64_t steps_done() const;
  [[nodiscard]] bool finished() const;

  /// Takes one step. After the refusal `diverged`, which means a loss or gradient that is not
  /// finite, the parameters are those from before the step.
  [[nodiscard]] expected<train_progress, train_refusal> step();

  /// Takes steps until the run is finished or `stop` is requested. Then it writes the checkpoint if
  /// options.checkpoint names one, so that stopping loses no step.
  [[nodiscard]] expected<train_progress, train_refusal> run(const std::stop_token& stop = {});

  [[nodiscard]] weights::model_weights snapshot() const;
  void save(const std::filesystem::path& path) const;

 private:
  struct state;
  explicit trainer(std::unique_ptr<state> inside);
  std::unique_ptr<state> state_;
};

}  // namespace soma::training
