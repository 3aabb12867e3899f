#include "model/scoring/distance.hpp"

#include "messages/values/assert.hpp"
#include "model/exact/float_state.hpp"
#include "model/exact/index/dot.hpp"

namespace soma::scoring {
namespace {

expected<float, distance_refusal> distance_from(float dot, float square_a, float square_b) {
  // A value that is not finite makes the square of its vector not finite, so these three checks
  // cover the values as well.
  if (!std::isfinite(dot) || !std::isfinite(square_a) || !std::isfinite(square_b)) {
    return make_unexpected(distance_refusal::not_finite);
  }
  if (square_a <= 0 || square_b <= 0) return make_unexpected(distance_refusal::zero_norm);
  return exact::distance_of(dot, exact::norm_of(square_a), exact::norm_of(square_b));
}

template <class Row>
std::vector<expected<std::uint32_t, distance_refusal>> distances_to_all(
    std::span<const float> point, std::span<const Row> embeddings) {
  std::vector<const float*> rows;
  rows.reserve(embeddings.size());
  for (const auto& row : embeddings) {
    if (row.size() == point.size()) rows.push_back(row.data());
  }
  std::vector<float> dots(rows.size());
  std::vector<float> squares(rows.size());
  const exact::float_state_guard exact_rounding;
  exact::dot_rows(rows.data(), rows.size(), point.data(), point.size(), dots.data(),
                  squares.data());
  const float point_square = exact_dot(point, point);
  std::vector<expected<std::uint32_t, distance_refusal>> result;
  result.reserve(embeddings.size());
  std::size_t next = 0;
  for (const auto& row : embeddings) {
    if (row.size() != point.size()) {
      result.push_back(make_unexpected(distance_refusal::different_lengths));
      continue;
    }
    result.push_back(distance_from(dots[next], squares[next], point_square).map(to_q30));
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
  return exact::dot(a.data(), b.data(), b.size());
}

expected<float, distance_refusal> cosine_distance(std::span<const float> a,
                                                  std::span<const float> b) {
  if (a.size() != b.size()) return make_unexpected(distance_refusal::different_lengths);
  const exact::float_state_guard exact_rounding;
  return distance_from(exact_dot(a, b), exact_dot(a, a), exact_dot(b, b));
}

std::uint32_t to_q30(float distance) {
  SOMA_ASSERT(distance >= 0 && distance <= 2, "a cosine distance is in [0, 2]");
  return exact::q30_of(distance);
}

expected<std::uint32_t, distance_refusal> distance_q30(std::span<const float> a,
                                                       std::span<const float> b) {
  return cosine_distance(a, b).map(to_q30);
}

std::vector<expected<std::uint32_t, distance_refusal>> distances_q30(
    std::span<const float> point, std::span<const std::span<const float>> embeddings) {
  return distances_to_all(point, embeddings);
}

std::vector<expected<std::uint32_t, distance_refusal>> distances_q30(
    std::span<const float> point, std::span<const std::vector<float>> embeddings) {
  return distances_to_all(point, embeddings);
}

}  // namespace soma::scoring
