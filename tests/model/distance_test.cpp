#include "model/exact/distance.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "messages/crypto/hash.hpp"
#include "model/engine.hpp"
#include "model/noise/noise.hpp"

using namespace soma;
using namespace soma::model;

namespace {
using vector = std::vector<float>;

/// The definition, word for word.
float plain_dot(const vector& a, const vector& b) {
  float sum = 0;
  for (std::size_t k = 0; k < a.size(); ++k) sum = std::fma(a[k], b[k], sum);
  return sum;
}
}  // namespace

TEST_CASE("distances of known directions") {
  CHECK(*cosine_distance(vector{1, 2, 3}, vector{2, 4, 6}) < 1e-6f);
  CHECK(*cosine_distance(vector{1, 0}, vector{-3, 0}) == 2.0f);
  CHECK(*cosine_distance(vector{1, 0}, vector{0, 5}) == 1.0f);
  CHECK(*distance_q30(vector{1, 0}, vector{1, 0}) == 0);
  CHECK(*distance_q30(vector{1, 0}, vector{0, 5}) == 1u << 30);
  CHECK(*distance_q30(vector{1, 0}, vector{-1, 0}) == 1u << 31);
}

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

TEST_CASE("the digest of a score covers every part of it and nothing else") {
  const model_architecture arch{2, 4, 2, 8, 8};
  const score base{1.5f, 1.0f, 25.0f, 8.0f, {1, 2, 3, 4}, true};
  const auto of = [&](const score& s, std::uint64_t seed = 7,
                      model_architecture a = {2, 4, 2, 8, 8}) {
    return score_digest(a, weights_hash{}, data_hash{}, seed, s);
  };
  const auto reference = of(base);
  crypto::tagged_hash by_hand("soma.score");
  for (const std::uint32_t n : {2u, 4u, 2u, 8u, 8u}) by_hand.add_u32(n);
  by_hand.add(weights_hash{}).add(data_hash{}).add_u64(7).add_u32(0x3fc00000);
  for (const std::uint32_t n : {0x3f800000u, 0x40000000u, 0x40400000u, 0x40800000u})
    by_hand.add_u32(n);
  CHECK(by_hand.finish() == reference);
  CHECK(of(base, 8) != reference);
  CHECK(of(base, 7, {2, 4, 1, 8, 8}) != reference);
  auto other = base;
  other.embedding[3] = -4;
  CHECK(of(other) != reference);
  other = base;
  other.loss = std::nextafter(1.5f, 2.0f);
  CHECK(of(other) != reference);
  CHECK(score_digest(arch, weights_hash{{1}}, data_hash{}, 7, base) != reference);
  CHECK(score_digest(arch, weights_hash{}, data_hash{{1}}, 7, base) != reference);
  other = base;
  other.valid = false;
  const auto invalid = of(other);
  CHECK(invalid != reference);
  other.loss = NAN;
  other.embedding[0] = INFINITY;
  CHECK(of(other) == invalid);
}
