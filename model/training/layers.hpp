// One layer of the network, forward and backward. Inside model/training only.
#pragma once

#include "model/training/state.hpp"

namespace soma::training {

/// Computes x[layer + 1] from x[layer], and the activations that backward needs.
void layer_forward(training_state& s, std::size_t layer);
/// Turns d_x from the gradient of x[layer + 1] into that of x[layer], and writes the gradients of
/// the layer's parameters.
void layer_backward(training_state& s, std::size_t layer);

}  // namespace soma::training
