// Dot products of rows (arithmetic §2.1), and the cosine distance that is made of three of them
// (arithmetic §8):
//
//   dot(a, b) = the fold over ascending k of fma(a[k], b[k], acc), acc from +0
//   norm(a)   = sqrt(dot(a, a))
//   distance  = 1 - dot(a, b) / (norm(a) * norm(b)), brought into [0, 2]
//
// Everything that compares embeddings goes through these few lines, so that all agree to the bit.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace soma::exact {

[[nodiscard]] float dot(const float* a, const float* b, std::size_t size);

/// Many rows against one point: dots[r] = dot(rows[r], point) and squares[r] = dot(rows[r],
/// rows[r]).
void dot_rows(const float* const* rows, std::size_t count, const float* point, std::size_t size,
              float* dots, float* squares);

/// Stands for the norm of a vector that has no direction (arithmetic §8.1).
inline constexpr float no_norm = 0;

/// The norm from `square`, the dot product of a vector with itself. A value that is not finite
/// makes the product not finite, so the check covers the values as well.
[[nodiscard]] inline float norm_of(float square) {
  return square > 0 && square <= std::numeric_limits<float>::max() ? std::sqrt(square) : no_norm;
}

/// The distance of arithmetic §8.2. Both norms must be above 0 and the product must be finite.
[[nodiscard]] inline float distance_of(float product, float norm_a, float norm_b) {
  const float distance = 1.0f - product / (norm_a * norm_b);
  return distance < 0 ? 0.0f : distance > 2 ? 2.0f : distance;
}

/// The largest distance. It also stands for a distance that is not defined.
inline constexpr std::uint32_t far_q30 = std::uint32_t{2} << 30;

/// A distance in [0, 2] in units of 2^-30, truncated (arithmetic §8.3): 0 .. 2^31.
[[nodiscard]] inline std::uint32_t q30_of(float distance) {
  // Below 2 the result fits a signed 32-bit integer, which every instruction set converts alike.
  const bool is_far = distance >= 2;
  const auto near = static_cast<std::int32_t>((is_far ? 0.0f : distance) * 0x1p30f);
  return is_far ? far_q30 : static_cast<std::uint32_t>(near);
}

/// The distance in units of 2^-30, or far_q30 where it is not defined. It is written without
/// branches, since an index computes it for many pairs side by side.
[[nodiscard]] inline std::uint32_t q30_or_far(float product, float norm_a, float norm_b) {
  const float distance = distance_of(product, norm_a, norm_b);
  const bool is_defined =
      (norm_a > 0) & (norm_b > 0) & (std::abs(product) <= std::numeric_limits<float>::max());
  return q30_of(is_defined ? distance : 2.0f);
}

}  // namespace soma::exact
