// The network of network.hpp with fewer and larger operations, for scoring and for gradients: the
// same function of the same tensors within 1e-5. Inside of model/torch only.
#pragma once

#include "model/torch/network.hpp"

namespace soma::model::twin {

/// x: [N, S, D], angles of one or of N rows -> [N * S, D]
[[nodiscard]] at::Tensor attention_fused(const at::Tensor& x, const attention_weights& weights,
                                         std::int64_t heads, const rotary& angles);
[[nodiscard]] at::Tensor gelu_fused(const at::Tensor& x);
/// ids: [N, S] -> representation [N * S, D]
[[nodiscard]] at::Tensor represent_fused(const at::Tensor& ids, const network& net,
                                         const rotary& angles);

}  // namespace soma::model::twin
