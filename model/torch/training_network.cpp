#include "model/torch/training_network.hpp"

namespace soma::model::twin {

using at::Tensor;

Tensor attention_for_training(const Tensor& x, const attention_weights& weights, std::int64_t heads,
                              const rotary& angles) {
  return attention(x, weights, heads, angles, causal_mask(x.size(1))).reshape({-1, x.size(2)});
}

Tensor represent_for_training(const Tensor& ids, const network& net, const rotary& angles) {
  return represent(ids, net, angles, causal_mask(ids.size(1))).reshape({-1, net.embedding.size(1)});
}

}  // namespace soma::model::twin
