// The reference of the exact engine: it computes the same network with ordinary libtorch calls and
// has the same interface.
#pragma once

#include <memory>

#include "model/scoring/engine.hpp"

namespace soma::reference {

/// The engine shares ownership of the weights. Its loss agrees with the exact engine's within a
/// relative 1e-4, its embedding within 1e-3. It gives the same bits twice on one machine with the
/// same number of threads. Throws std::bad_alloc or std::runtime_error when the machine fails.
[[nodiscard]] std::unique_ptr<scoring::scoring_engine> make_torch_engine(
    const weights::model_weights& model);

}  // namespace soma::reference
