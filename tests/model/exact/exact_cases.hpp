// The cases on which the exact engine is compared with recorded digests: architectures from tiny to
// base, data of many lengths, weights near their initial values and far from them.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "model/noise/noise.hpp"
#include "model/scoring/exact_engine.hpp"

namespace soma::test {

struct exact_case {
  const char* name;
  model_architecture arch;
  bool far;  // the weights are far from their initial values
  std::size_t bytes;
  const char* digest;  // the first sixteen digits of the recorded digest
  [[nodiscard]] std::uint64_t seed() const { return bytes * 31 + arch.dim + (far ? 7 : 0); }
};

/// Weights far from initial ones: norms and biases are not 1 and 0, and matrices are several times
/// larger.
inline weights::model_weights far_weights(const model_architecture& arch, std::uint64_t seed) {
  std::vector<float> values;
  for (const auto& spec : weights::tensor_table(arch)) {
    ++seed;
    const bool matrix = spec.shape.size() == 2;
    const bool gamma = spec.name.ends_with(".gamma");
    const float deviation = matrix ? 3.0f / std::sqrt(static_cast<float>(spec.shape[0])) : 0.5f;
    const auto drawn = noise::normals(seed, spec.elements(), gamma ? 1.0f : 0.0f, deviation);
    values.insert(values.end(), drawn.begin(), drawn.end());
  }
  return weights::make_weights(arch, std::move(values));
}

inline weights::model_weights weights_of(const exact_case& c) {
  return c.far ? far_weights(c.arch, c.arch.dim) : weights::init_weights(c.arch, c.arch.dim);
}

inline bytes data_of_case(const exact_case& c) {
  noise::noise_generator random(c.bytes);
  bytes data(c.bytes);
  // As in text, a few values come often and all values come sometimes.
  for (auto& byte : data) {
    byte =
        static_cast<std::uint8_t>(random.below(8) != 0 ? 97 + random.below(12) : random.below(256));
  }
  return data;
}

inline std::string digest_of(const exact_case& c, const weights::model_weights& weights,
                             const exact::score& score) {
  const data_hash data{{static_cast<std::uint8_t>(c.bytes)}};
  return scoring::score_digest(c.arch, weights.hash(), data, c.seed(), score).text();
}

/// The cost of one run of a case in units of 10^9 multiplications. What a token costs in a layer
/// besides its products counts as 50,000 multiplications: with short sequences it is most of the
/// cost.
inline double giga_cost(const exact_case& c) {
  const double d = c.arch.dim;
  const auto tokens =
      static_cast<double>((c.bytes + c.arch.max_seq - 1) / c.arch.max_seq * c.arch.max_seq);
  return 1e-9 * tokens *
         (c.arch.layers * (4 * d * d + 2 * d * c.arch.ffn + d * c.arch.max_seq + 50'000) + 520 * d);
}

extern const std::vector<exact_case> exact_cases;

}  // namespace soma::test
