// One layer, forward and backward. Inside of model/torch only.
#pragma once

#include "model/torch/training_state.hpp"

namespace soma::model::twin {

/// x[layer] -> x[layer + 1], and what the layer keeps.
void layer_forward(training_state& s, std::size_t layer);
/// pull: from the gradient of x[layer + 1] to that of x[layer]; writes the layer's gradients.
void layer_backward(training_state& s, std::size_t layer);

}  // namespace soma::model::twin
