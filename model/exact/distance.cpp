#include "model/exact/distance.hpp"

#include <cmath>

#include "messages/types/assert.hpp"

namespace soma::model {
namespace {

// A fold cannot be split over k, so speed comes from several folds side by side: `Rows` independent
// accumulators hide the latency of fma. Written once, compiled twice; fma is correctly rounded in
// hardware and in software alike.
template <int Rows>
[[gnu::always_inline]] inline void fold_rows(const float* const* rows, const float* point,
                                             std::size_t size, float* dots, float* squares) {
  float dot[Rows] = {};
  float square[Rows] = {};
  for (std::size_t k = 0; k < size; ++k) {
    for (int r = 0; r < Rows; ++r) {
      dot[r] = __builtin_fmaf(rows[r][k], point[k], dot[r]);
      square[r] = __builtin_fmaf(rows[r][k], rows[r][k], square[r]);
    }
  }
  for (int r = 0; r < Rows; ++r) {
    dots[r] = dot[r];
    squares[r] = square[r];
  }
}

void fold_portable(const float* const* rows, std::size_t count, const float* point,
                   std::size_t size, float* dots, float* squares) {
  for (std::size_t r = 0; r < count; ++r)
    fold_rows<1>(rows + r, point, size, dots + r, squares + r);
}

#if defined(__x86_64__)
[[gnu::target("fma")]] void fold_hardware(const float* const* rows, std::size_t count,
                                          const float* point, std::size_t size, float* dots,
                                          float* squares) {
  std::size_t r = 0;
  for (; r + 4 <= count; r += 4) fold_rows<4>(rows + r, point, size, dots + r, squares + r);
  for (; r < count; ++r) fold_rows<1>(rows + r, point, size, dots + r, squares + r);
}
#endif

void fold(const float* const* rows, std::size_t count, const float* point, std::size_t size,
          float* dots, float* squares) {
#if defined(__x86_64__)
  static const bool has_fma = __builtin_cpu_supports("fma");
  if (has_fma) return fold_hardware(rows, count, point, size, dots, squares);
#endif
  fold_portable(rows, count, point, size, dots, squares);
}

expected<float, distance_refusal> finish(float dot, float square_a, float square_b) {
  // A value that is not finite makes its own square not finite, so these three cover the inputs as
  // well.
  if (!std::isfinite(dot) || !std::isfinite(square_a) || !std::isfinite(square_b)) {
    return make_unexpected(distance_refusal::not_finite);
  }
  if (square_a <= 0 || square_b <= 0) return make_unexpected(distance_refusal::zero_norm);
  const float distance = 1.0f - dot / (std::sqrt(square_a) * std::sqrt(square_b));
  return distance < 0 ? 0.0f : distance > 2 ? 2.0f : distance;
}

template <class Row>
std::vector<expected<std::uint32_t, distance_refusal>> batch(std::span<const float> point,
                                                             std::span<const Row> embeddings) {
  std::vector<const float*> rows;
  rows.reserve(embeddings.size());
  for (const auto& row : embeddings) {
    if (row.size() == point.size()) rows.push_back(row.data());
  }
  std::vector<float> dots(rows.size());
  std::vector<float> squares(rows.size());
  fold(rows.data(), rows.size(), point.data(), point.size(), dots.data(), squares.data());
  const float point_square = exact_dot(point, point);
  std::vector<expected<std::uint32_t, distance_refusal>> result;
  result.reserve(embeddings.size());
  std::size_t next = 0;
  for (const auto& row : embeddings) {
    if (row.size() != point.size()) {
      result.push_back(make_unexpected(distance_refusal::different_lengths));
      continue;
    }
    result.push_back(finish(dots[next], squares[next], point_square).map(to_q30));
    ++next;
  }
  return result;
}

}  // namespace

std::string_view to_text(distance_refusal refusal) {
  switch (refusal) {
    case distance_refusal::different_lengths:
      return "the vectors have different lengths";
    case distance_refusal::not_finite:
      return "a vector holds a value that is not finite or too large";
    case distance_refusal::zero_norm:
      return "a vector has no direction: its norm is zero";
  }
  return "unknown";
}

float exact_dot(std::span<const float> a, std::span<const float> b) {
  SOMA_ASSERT(a.size() == b.size(), "a dot product takes vectors of one length");
  const float* row = a.data();
  float dot = 0;
  float square = 0;
  fold(&row, 1, b.data(), b.size(), &dot, &square);
  return dot;
}

expected<float, distance_refusal> cosine_distance(std::span<const float> a,
                                                  std::span<const float> b) {
  if (a.size() != b.size()) return make_unexpected(distance_refusal::different_lengths);
  return finish(exact_dot(a, b), exact_dot(a, a), exact_dot(b, b));
}

std::uint32_t to_q30(float distance) {
  SOMA_ASSERT(distance >= 0 && distance <= 2, "a cosine distance is in [0, 2]");
  return static_cast<std::uint32_t>(static_cast<std::int64_t>(distance * 0x1p30f));
}

expected<std::uint32_t, distance_refusal> distance_q30(std::span<const float> a,
                                                       std::span<const float> b) {
  return cosine_distance(a, b).map(to_q30);
}

std::vector<expected<std::uint32_t, distance_refusal>> distances_q30(
    std::span<const float> point, std::span<const std::span<const float>> embeddings) {
  return batch(point, embeddings);
}

std::vector<expected<std::uint32_t, distance_refusal>> distances_q30(
    std::span<const float> point, std::span<const std::vector<float>> embeddings) {
  return batch(point, embeddings);
}

}  // namespace soma::model
