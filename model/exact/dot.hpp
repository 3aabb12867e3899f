// Dot products of rows, and the cosine distance that is made of three of them. Exact arithmetic §2:
//   dot(a, b) = fold over ascending k of fma(a[k], b[k], acc), acc from +0, binary32
//   norm(a)   = sqrt(dot(a, a))
//   distance  = 1 - dot(a, b) / (norm(a) * norm(b)), brought into [0, 2]
// All that compares embeddings goes through these few lines, so that all agree to the bit.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace soma::exact {

[[nodiscard]] float dot(const float* a, const float* b, std::size_t size);

/// Many rows against one point: dots[r] = dot(rows[r], point), squares[r] = dot(rows[r], rows[r]).
void dot_rows(const float* const* rows, std::size_t count, const float* point, std::size_t size,
              float* dots, float* squares);

/// What stands for the norm of a vector without a direction, or with one that binary32 can't tell.
inline constexpr float no_norm = 0;

/// The norm from a vector's dot product with itself. A value that is not finite makes that product
/// not finite, so no_norm covers the values as well.
[[nodiscard]] inline float norm_of(float square) {
  return square > 0 && square <= std::numeric_limits<float>::max() ? std::sqrt(square) : no_norm;
}

/// Tells something if both norms are above 0 and the product is finite.
[[nodiscard]] inline float distance_of(float product, float norm_a, float norm_b) {
  const float distance = 1.0f - product / (norm_a * norm_b);
  return distance < 0 ? 0.0f : distance > 2 ? 2.0f : distance;
}

/// As far as can be: the distance to what has no direction.
inline constexpr std::uint32_t far_q30 = std::uint32_t{2} << 30;

/// Units of 2^-30, truncated: 0 .. 2^31, from a distance in [0, 2].
[[nodiscard]] inline std::uint32_t q30_of(float distance) {
  // Below 2 all fit 32 bits with a sign, which every instruction set converts alike.
  const bool is_far = distance >= 2;
  const auto near = static_cast<std::int32_t>((is_far ? 0.0f : distance) * 0x1p30f);
  return is_far ? far_q30 : static_cast<std::uint32_t>(near);
}

/// Written without branches: an index computes it for many pairs side by side.
[[nodiscard]] inline std::uint32_t q30_or_far(float product, float norm_a, float norm_b) {
  const float distance = distance_of(product, norm_a, norm_b);
  const bool is_told =
      (norm_a > 0) & (norm_b > 0) & (std::abs(product) <= std::numeric_limits<float>::max());
  return q30_of(is_told ? distance : 2.0f);
}

}  // namespace soma::exact
