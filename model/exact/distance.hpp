// Cosine distance between embeddings in exact arithmetic: the same bits on every machine. Exact
// arithmetic §2; what is compared with a target's radius and what the choice of models is made of.
//   dot(a, b) = fold over ascending k of fma(a[k], b[k], acc), acc from +0, binary32
//   norm(a)   = sqrt(dot(a, a))
//   distance  = 1 - dot(a, b) / (norm(a) * norm(b)), brought into [0, 2]; the same for (a, b) and
//   (b, a)
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "messages/types/expected.hpp"

namespace soma::model {

enum class distance_refusal : std::uint8_t { different_lengths, not_finite, zero_norm };
[[nodiscard]] std::string_view to_text(distance_refusal refusal);

[[nodiscard]] float exact_dot(std::span<const float> a, std::span<const float> b);

/// not_finite: a value, a square sum or the dot product left binary32's range. zero_norm: no
/// direction.
[[nodiscard]] expected<float, distance_refusal> cosine_distance(std::span<const float> a,
                                                                std::span<const float> b);

/// The distance in units of 2^-30, truncated: 0 .. 2^31.
[[nodiscard]] std::uint32_t to_q30(float distance);
[[nodiscard]] expected<std::uint32_t, distance_refusal> distance_q30(std::span<const float> a,
                                                                     std::span<const float> b);

/// One point against many embeddings; entry i is distance_q30(point, embeddings[i]), bit for bit.
[[nodiscard]] std::vector<expected<std::uint32_t, distance_refusal>> distances_q30(
    std::span<const float> point, std::span<const std::span<const float>> embeddings);
[[nodiscard]] std::vector<expected<std::uint32_t, distance_refusal>> distances_q30(
    std::span<const float> point, std::span<const std::vector<float>> embeddings);

}  // namespace soma::model
