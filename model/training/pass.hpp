// Loss and gradient of one training step, forward and backward written out by hand. The result is
// the same function of the same tensors, within rounding, as autograd over the network of
// model/reference. The matrix of attention scores is never held in memory, there is no mask, and a
// layer is computed in tiles of positions that stay in the processor's caches. The shapes alone fix
// the jobs and the order of their sums, so the bits do not depend on the number of threads. For
// model/training and its reference only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "messages/values/architecture.hpp"
#include "model/training/kernels.hpp"
#include "model/training/plan.hpp"
#include "model/training/team.hpp"

namespace soma::training {

struct step_loss {
  double total = 0;          // cross-entropy + 0.02 * SIGReg
  double cross_entropy = 0;  // mean over the positions that have a target
};

/// The bytes of activations that the layers of one step keep from forward to backward, when they
/// keep all of them.
[[nodiscard]] std::uint64_t activation_bytes(const model_architecture& arch,
                                             std::uint64_t positions);

class training_pass {
 public:
  /// A step has at most `max_positions` positions. `products` computes the matrix products of the
  /// layers, and `kernel` everything else. With `recompute`, a layer keeps only its input and is
  /// computed again for the gradient, which gives the same bits.
  training_pass(const model_architecture& arch, std::uint64_t max_positions,
                const matmul_kernels& products, bool recompute, team& workers,
                const kernel_set& kernel = kernels());
  ~training_pass();
  training_pass(const training_pass&) = delete;
  training_pass& operator=(const training_pass&) = delete;

  /// `parameters` have the order of weights::tensor_table.
  [[nodiscard]] step_loss forward(const float* parameters, const step_input& input);
  /// Overwrites `gradients` with the gradient of the last forward. `parameters` and `input` must be
  /// those of that forward, unchanged.
  void backward(const float* parameters, const step_input& input, float* gradients);

 private:
  struct implementation;
  std::unique_ptr<implementation> implementation_;
};

}  // namespace soma::training
