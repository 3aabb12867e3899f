// The cases on which the exact engine is held to recorded digests: sizes from a toy to base, data
// that ends everywhere, weights near their beginning and far from it.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "model/exact_engine.hpp"
#include "model/noise/noise.hpp"

namespace soma::test {

struct exact_case {
  const char* name;
  model_architecture arch;
  bool far;  // from the initial weights
  std::size_t bytes;
  const char* digest;  // as recorded; the first sixteen digits
  [[nodiscard]] std::uint64_t seed() const { return bytes * 31 + arch.dim + (far ? 7 : 0); }
};

/// Everything is away from 0 and 1: norms, biases, and matrices three times their initial size.
inline model::weights far_weights(const model_architecture& arch, std::uint64_t seed) {
  std::vector<float> values;
  for (const auto& spec : model::tensor_table(arch)) {
    ++seed;
    const bool matrix = spec.shape.size() == 2;
    const bool gamma = spec.name.ends_with(".gamma");
    const float deviation = matrix ? 3.0f / std::sqrt(static_cast<float>(spec.shape[0])) : 0.5f;
    const auto drawn = model::normals(seed, spec.elements(), gamma ? 1.0f : 0.0f, deviation);
    values.insert(values.end(), drawn.begin(), drawn.end());
  }
  return model::make_weights(arch, std::move(values));
}

inline model::weights weights_of(const exact_case& c) {
  return c.far ? far_weights(c.arch, c.arch.dim) : model::init_weights(c.arch, c.arch.dim);
}

inline bytes data_of_case(const exact_case& c) {
  model::noise_generator random(c.bytes);
  bytes data(c.bytes);
  // Text-like: a few bytes often, all of them sometimes.
  for (auto& byte : data) {
    byte =
        static_cast<std::uint8_t>(random.below(8) != 0 ? 97 + random.below(12) : random.below(256));
  }
  return data;
}

inline std::string digest_of(const exact_case& c, const model::weights& weights,
                             const model::score& score) {
  const data_hash data{{static_cast<std::uint8_t>(c.bytes)}};
  return model::score_digest(c.arch, weights.hash(), data, c.seed(), score).text();
}

/// Multiplications of one run, in units of 10^9: what a case costs.
inline double giga_products(const exact_case& c) {
  const double d = c.arch.dim;
  const auto tokens =
      static_cast<double>((c.bytes + c.arch.max_seq - 1) / c.arch.max_seq * c.arch.max_seq);
  return 1e-9 * tokens *
         (c.arch.layers * (4 * d * d + 2 * d * c.arch.ffn + d * c.arch.max_seq) + 520 * d);
}

extern const std::vector<exact_case> exact_cases;

}  // namespace soma::test
