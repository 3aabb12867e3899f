// The network of network.hpp arranged for gradients: the same function of the same tensors, fewer
// and larger operations. Inside of model/torch only.
#pragma once

#include "model/torch/network.hpp"

namespace soma::model::twin {

/// x: [N, S, D], angles of one row of positions -> [N * S, D]
[[nodiscard]] at::Tensor attention_for_training(const at::Tensor& x,
                                                const attention_weights& weights,
                                                std::int64_t heads, const rotary& angles);
/// ids: [N, S] -> representation [N * S, D]
[[nodiscard]] at::Tensor represent_for_training(const at::Tensor& ids, const network& net,
                                                const rotary& angles);

}  // namespace soma::model::twin
