// The plain twin of the exact engine: the same network as ordinary libtorch calls. Exact arithmetic
// §8.
#pragma once

#include <memory>

#include "model/engine.hpp"

namespace soma::model {

/// Keeps a share of the weights. Loss and embedding agree with the exact engine within 1e-4
/// relative; the same bits twice on one machine with one number of threads. Throws std::bad_alloc
/// or std::runtime_error when the machine fails.
[[nodiscard]] std::unique_ptr<scoring_engine> make_torch_engine(const weights& model);

}  // namespace soma::model
