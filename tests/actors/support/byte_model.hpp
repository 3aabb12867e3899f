// A model small enough for tests of the network around it: a distribution of bytes that knows no
// context, carried in the bias of an ordinary weights file, so that publishing, fetching,
// decrypting and checking are the real thing.
#pragma once

#include <memory>
#include <vector>

#include "actors/scorer/scorer_worker.hpp"
#include "actors/trainer/trainer.hpp"
#include "model/scoring/engine.hpp"

namespace soma::test {

/// 1 layer, dim 16, 2 heads, ffn 16, 64 positions.
inline constexpr model_architecture byte_architecture{1, 16, 2, 16, 64};

/// Weights whose predictor's bias is the log frequency of the bytes.
[[nodiscard]] weights::model_weights byte_weights(const std::vector<bytes>& data,
                                                  std::uint64_t seed);
[[nodiscard]] trainer::trained_model train_byte_model(const std::vector<bytes>& data,
                                                      std::uint64_t seed);

/// Scores with that distribution; the embedding is a direction that weights and data own.
[[nodiscard]] std::unique_ptr<scoring::scoring_engine> make_byte_engine(
    const weights::model_weights& weights);

/// A text of `size` bytes drawn evenly from `alphabet`.
[[nodiscard]] bytes text_of(std::string_view alphabet, std::size_t size, std::uint64_t seed);

}  // namespace soma::test
