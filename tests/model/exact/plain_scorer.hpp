// ARITHMETIC.md written down as plainly as it can be: one token, one feature, one addition at a
// time. It is slow, and the engine must agree with it to the bit.
#pragma once

#include "model/exact/score.hpp"
#include "model/weights/weights.hpp"

namespace soma::test {

[[nodiscard]] exact::score plain_score(const weights::model_weights& weights, byte_view data,
                                       std::uint64_t seed, std::uint32_t batch);

}  // namespace soma::test
