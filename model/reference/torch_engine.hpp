// The reference of the exact engine: the same network as ordinary libtorch calls behind the same
// interface.
#pragma once

#include <memory>

#include "model/scoring/engine.hpp"

namespace soma::reference {

/// The engine shares ownership of the weights. Its loss and embedding agree with the exact engine's
/// within a relative 1e-4 and 1e-3. It gives the same bits twice on one machine with the same
/// number of threads. Throws std::bad_alloc or std::runtime_error when the machine fails.
[[nodiscard]] std::unique_ptr<scoring::scoring_engine> make_torch_engine(
    const weights::model_weights& model);

}  // namespace soma::reference
