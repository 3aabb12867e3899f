// The network's arithmetic written down as plainly as it can be: one token, one feature, one
// addition at a time. Slow; what the engine must agree with to the bit.
#pragma once

#include "model/exact/score.hpp"
#include "model/weights/weights.hpp"

namespace soma::test {

[[nodiscard]] model::score plain_score(const model::weights& weights, byte_view data,
                                       std::uint64_t seed, std::uint32_t batch);

}  // namespace soma::test
