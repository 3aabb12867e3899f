// Loss and gradient of the network of network.hpp on one step's windows, forward and backward
// written out: the same function of the same tensors, within rounding, as libtorch's autograd over
// network.hpp. No matrix of scores, no mask, no copies of tables; layers are gone through in tiles
// of rows that stay near the processor. Pieces and their order of summing are fixed by the shapes,
// so bits do not depend on the number of threads. Inside of model/torch only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "messages/types/architecture.hpp"
#include "model/torch/kernels.hpp"
#include "model/torch/team.hpp"
#include "model/torch/training_plan.hpp"

namespace soma::model::twin {

struct step_loss {
  double total = 0;
  double cross_entropy = 0;  // mean over positions with a target
};

/// Bytes that the layers of one step keep from forward to backward, when none is computed again.
[[nodiscard]] std::uint64_t kept_bytes(const model_architecture& arch, std::uint64_t positions);

class training_pass {
 public:
  /// Products by `products`; a step has at most `positions` positions. With `recompute`, layers
  /// keep only their input and are computed again for the gradient: the same bits. All but the
  /// products is by `kernel`.
  training_pass(const model_architecture& arch, std::uint64_t positions,
                const product_set& products, bool recompute, team& workers,
                const kernel_set& kernel = kernels());
  ~training_pass();
  training_pass(const training_pass&) = delete;
  training_pass& operator=(const training_pass&) = delete;

  /// parameters: in the order of tensor_table.
  [[nodiscard]] step_loss forward(const float* parameters, const step_input& input);
  /// The gradient of the last forward, all of it overwritten; parameters and input as they were.
  void backward(const float* parameters, const step_input& input, float* gradients);

 private:
  struct inside;
  std::unique_ptr<inside> inside_;
};

}  // namespace soma::model::twin
