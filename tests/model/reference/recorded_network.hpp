// The network whose scores are recorded. Each of its tensors holds standard normals of a seed of
// its own.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "model/noise/noise.hpp"
#include "model/weights/weights.hpp"

namespace soma::test {

inline weights::model_weights recorded_network(std::uint64_t seed) {
  const model_architecture arch{2, 4, 2, 8, 8};
  const auto layer_offset = [](const std::string& name) -> std::uint64_t {
    constexpr std::pair<const char*, std::uint64_t> offsets[] = {
        {"norm_1.gamma", 1},       {"norm_1.beta", 2},        {"query.weight", 3},
        {"query.bias", 4},         {"key.weight", 5},         {"key.bias", 6},
        {"value.weight", 7},       {"value.bias", 8},         {"output.weight", 9},
        {"output.bias", 10},       {"norm_2.gamma", 11},      {"norm_2.beta", 12},
        {"inner.weight", 13},      {"inner.bias", 14},        {"outer.weight", 15},
        {"outer.bias", 16},        {"final_norm.gamma", 100}, {"final_norm.beta", 200},
        {"embedding.weight", 250}, {"predictor.weight", 300}, {"predictor.bias", 400}};
    for (const auto& [end, offset] : offsets) {
      if (name.ends_with(end)) return offset;
    }
    throw std::logic_error("no seed for " + name);
  };
  std::vector<float> values;
  for (const auto& spec : weights::tensor_table(arch)) {
    const bool second = spec.name.find("layers.1.") != std::string::npos;
    const auto drawn =
        noise::normals(seed + layer_offset(spec.name) + (second ? 1 : 0), spec.elements());
    values.insert(values.end(), drawn.begin(), drawn.end());
  }
  return weights::make_weights(arch, values);
}

/// Its recorded scores with seed 42 and two sequences per batch, on the data 0, 1, 2, …
struct recorded_score {
  std::size_t bytes;
  double cross_entropy, sigreg, loss;
};
inline constexpr recorded_score recorded_scores[] = {{16, 12.4364175, 68.3576262, 13.8035700},
                                                     {8, 12.8998758, 65.9907804, 14.2196915},
                                                     {4, 6.8302926, 61.9779125, 8.0698509}};

}  // namespace soma::test
