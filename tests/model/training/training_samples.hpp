// Shared by the tests of training: small networks, text of a small grammar, quick options.
#pragma once

#include <string>
#include <vector>

#include "model/noise/noise.hpp"
#include "model/training/trainer.hpp"
#include "model/weights/architectures.hpp"

namespace soma::test {

inline weights::model_weights fresh() {
  return weights::init_weights(*weights::parse_architecture("2,32,2,64,64"), 1);
}

/// Sentences of one small grammar; `flavour` chooses the words.
inline bytes text(std::uint64_t seed, int flavour, std::size_t size = 20'000) {
  constexpr const char* words[2][6] = {{"the ", "model ", "learns ", "from ", "bytes ", "alone. "},
                                       {"int x;\n", "return ", "(a+b);", "{ ", "}\n", "for "}};
  noise::noise_generator noise(seed);
  std::string result;
  while (result.size() < size) result += words[flavour][noise.below(6)];
  return {result.begin(), result.end()};
}

inline training::trainer_options quick(std::uint64_t steps) {
  training::trainer_options options;
  options.steps = steps;
  options.batch = 4;
  options.warmup_steps = 5;
  options.learning_rate = 5e-3f;
  options.seed = 3;
  return options;
}

inline std::vector<float> flat(const weights::model_weights& model) {
  std::vector<float> values;
  for (const auto& spec : weights::tensor_table(model.architecture())) {
    const auto tensor = model.tensor(spec.name);
    values.insert(values.end(), tensor.begin(), tensor.end());
  }
  return values;
}

}  // namespace soma::test
