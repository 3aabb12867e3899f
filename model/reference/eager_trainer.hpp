// The reference of the trainer: network.hpp with autograd, and AdamW tensor by tensor, as ordinary
// libtorch calls. Tests and the benchmark compare the trainer with it. With the same options both
// have the same windows and, within rounding, the same loss and update. It writes no checkpoints
// and ignores the options `recompute`, `precision` and `threads`.
#pragma once

#include <memory>
#include <vector>

#include "model/training/trainer.hpp"

namespace soma::reference {

class eager_trainer {
 public:
  [[nodiscard]] static expected<eager_trainer, training::train_refusal> start(
      const weights::model_weights& from, std::vector<bytes> data,
      training::trainer_options options);
  eager_trainer(eager_trainer&&) noexcept;
  eager_trainer& operator=(eager_trainer&&) noexcept;
  ~eager_trainer();

  /// Like trainer::step.
  [[nodiscard]] expected<training::train_progress, training::train_refusal> step();
  /// The gradient of the last step before clipping, in the order of weights::tensor_table.
  [[nodiscard]] std::vector<float> last_gradient() const;

 private:
  struct state;
  explicit eager_trainer(std::unique_ptr<state> inside);
  std::unique_ptr<state> state_;
};

}  // namespace soma::reference
