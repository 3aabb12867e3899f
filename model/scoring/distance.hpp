// The cosine distance between two embeddings in exact arithmetic (arithmetic §8). A refusal has a
// name. The distance of a claim to its target and the assignment of models to a point use it.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "messages/values/expected.hpp"

namespace soma::scoring {

enum class distance_refusal : std::uint8_t {
  different_lengths,
  not_finite,  // a value, the square of a norm, or the dot product is not finite
  zero_norm,   // a vector is zero, so it has no direction
};
[[nodiscard]] std::string_view to_text(distance_refusal refusal);

/// The dot product of two vectors of one length (arithmetic §2.1).
[[nodiscard]] float exact_dot(std::span<const float> a, std::span<const float> b);

/// The cosine distance in [0, 2]. It is the same, bit for bit, for (a, b) and (b, a).
[[nodiscard]] expected<float, distance_refusal> cosine_distance(std::span<const float> a,
                                                                std::span<const float> b);

/// Converts a distance in [0, 2] to units of 2^-30, truncated: 0 .. 2^31.
[[nodiscard]] std::uint32_t to_q30(float distance);
/// The cosine distance in units of 2^-30.
[[nodiscard]] expected<std::uint32_t, distance_refusal> distance_q30(std::span<const float> a,
                                                                     std::span<const float> b);

/// The distances of one point to many embeddings. Entry i is distance_q30(point, embeddings[i]),
/// bit for bit.
[[nodiscard]] std::vector<expected<std::uint32_t, distance_refusal>> distances_q30(
    std::span<const float> point, std::span<const std::span<const float>> embeddings);
[[nodiscard]] std::vector<expected<std::uint32_t, distance_refusal>> distances_q30(
    std::span<const float> point, std::span<const std::vector<float>> embeddings);

}  // namespace soma::scoring
