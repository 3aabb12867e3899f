#include "model/scoring/distance.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "model/noise/noise.hpp"

using namespace soma;
using namespace soma::noise;
using namespace soma::scoring;

namespace {
using vector = std::vector<float>;

/// Arithmetic §2.1, word for word.
float plain_dot(const vector& a, const vector& b) {
  float sum = 0;
  for (std::size_t k = 0; k < a.size(); ++k) sum = std::fma(a[k], b[k], sum);
  return sum;
}
}  // namespace

// Arithmetic §8.2 and §8.3.
TEST_CASE("distances of known directions") {
  CHECK(*cosine_distance(vector{1, 2, 3}, vector{2, 4, 6}) < 1e-6f);
  CHECK(*cosine_distance(vector{1, 0}, vector{-3, 0}) == 2.0f);
  CHECK(*cosine_distance(vector{1, 0}, vector{0, 5}) == 1.0f);
  CHECK(*distance_q30(vector{1, 0}, vector{1, 0}) == 0);
  CHECK(*distance_q30(vector{1, 0}, vector{0, 5}) == 1u << 30);
  CHECK(*distance_q30(vector{1, 0}, vector{-1, 0}) == 1u << 31);
}

// Arithmetic §8.1.
TEST_CASE("vectors without a direction, of different lengths or out of range are refused by name") {
  const float huge = std::numeric_limits<float>::max();
  CHECK(cosine_distance(vector{0, 0}, vector{1, 0}).error() == distance_refusal::zero_norm);
  CHECK(cosine_distance(vector{1, 0}, vector{0, 0}).error() == distance_refusal::zero_norm);
  CHECK(cosine_distance(vector{1e-30f, 0}, vector{1, 0}).error() == distance_refusal::zero_norm);
  CHECK(cosine_distance(vector{}, vector{}).error() == distance_refusal::zero_norm);
  CHECK(cosine_distance(vector{1}, vector{1, 0}).error() == distance_refusal::different_lengths);
  CHECK(cosine_distance(vector{NAN, 1}, vector{1, 0}).error() == distance_refusal::not_finite);
  CHECK(cosine_distance(vector{1, 0}, vector{0, INFINITY}).error() == distance_refusal::not_finite);
  CHECK(cosine_distance(vector{huge, huge}, vector{1, 1}).error() == distance_refusal::not_finite);
}

TEST_CASE(
    "one fold or many side by side, with hardware fma or without: the same bits as the "
    "definition") {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    CAPTURE(seed);
    const std::size_t size = 1 + seed * 7 % 300;
    const auto point = normals(seed, size);
    std::vector<vector> rows;
    for (std::uint64_t i = 0; i < seed % 11; ++i) {
      rows.push_back(i % 5 == 4 ? vector(size, 0.0f)
                                : normals(seed * 100 + i + 1, size + (i % 7 == 6)));
    }
    const auto batch = distances_q30(point, rows);
    REQUIRE(batch.size() == rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      CAPTURE(i);
      CHECK(batch[i] == distance_q30(point, rows[i]));
      if (rows[i].size() != size) {
        CHECK(batch[i].error() == distance_refusal::different_lengths);
        continue;
      }
      CHECK(std::bit_cast<std::uint32_t>(exact_dot(point, rows[i])) ==
            std::bit_cast<std::uint32_t>(plain_dot(point, rows[i])));
      if (!batch[i]) continue;
      const float d = 1.0f - plain_dot(point, rows[i]) / (std::sqrt(plain_dot(point, point)) *
                                                          std::sqrt(plain_dot(rows[i], rows[i])));
      CHECK(*batch[i] == static_cast<std::uint32_t>(std::clamp(d, 0.0f, 2.0f) * 1073741824.0));
      CHECK(*batch[i] <= 1u << 31);
      CHECK(distance_q30(point, rows[i]) == distance_q30(rows[i], point));
    }
  }
}
