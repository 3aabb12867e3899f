// Training as ordinary libtorch calls: network.hpp under autograd, AdamW tensor by tensor. The peer
// that the trainer is held against, by its test and by the benchmark: the same options see the same
// windows, loss and update. No checkpoints; `recompute` and `precision` are not looked at.
#pragma once

#include <memory>
#include <vector>

#include "model/torch/trainer.hpp"

namespace soma::model {

class eager_trainer {
 public:
  [[nodiscard]] static expected<eager_trainer, train_refusal> start(const weights& from,
                                                                    std::vector<bytes> data,
                                                                    trainer_options options);
  eager_trainer(eager_trainer&&) noexcept;
  eager_trainer& operator=(eager_trainer&&) noexcept;
  ~eager_trainer();

  /// As trainer::step.
  [[nodiscard]] expected<train_progress, train_refusal> step();
  /// The gradient of the last step before it was clipped, in the order of tensor_table.
  [[nodiscard]] std::vector<float> last_gradient() const;

 private:
  struct state;
  explicit eager_trainer(std::unique_ptr<state> inside);
  std::unique_ptr<state> state_;
};

}  // namespace soma::model
