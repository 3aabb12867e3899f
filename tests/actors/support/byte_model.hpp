// A model that is small enough for tests of the network around it. It is a distribution of bytes
// without context, stored in the bias of an ordinary weights file, so that publishing, fetching,
// decrypting and checking are real.
#pragma once

#include <memory>
#include <vector>

#include "actors/scorer/scorer_worker.hpp"
#include "actors/trainer/trainer.hpp"
#include "model/scoring/engine.hpp"

namespace soma::test {

/// 1 layer, dim 16, 2 heads, ffn 16, 64 positions.
inline constexpr model_architecture byte_architecture{1, 16, 2, 16, 64};

/// Weights in which the bias of the predictor is the log frequency of the bytes.
[[nodiscard]] weights::model_weights byte_weights(const std::vector<bytes>& data,
                                                  std::uint64_t seed);
[[nodiscard]] trainer::trained_model train_byte_model(const std::vector<bytes>& data,
                                                      std::uint64_t seed);

/// An engine that scores with that distribution. The embedding depends on the weights and the data.
[[nodiscard]] std::unique_ptr<scoring::scoring_engine> make_byte_engine(
    const weights::model_weights& weights);

/// A text of `size` bytes drawn evenly from `alphabet`.
[[nodiscard]] bytes text_of(std::string_view alphabet, std::size_t size, std::uint64_t seed);

}  // namespace soma::test
