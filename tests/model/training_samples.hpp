// What tests of training share: small networks, text of a small grammar, quick options.
#pragma once

#include <string>
#include <vector>

#include "model/noise/noise.hpp"
#include "model/torch/threads.hpp"
#include "model/torch/trainer.hpp"
#include "model/weights/architectures.hpp"

namespace soma::model::test {

inline weights fresh() {
  return init_weights(*parse_architecture("2,32,2,64,64"), 1);
}

/// Sentences of one small grammar; `flavour` chooses the words.
inline bytes text(std::uint64_t seed, int flavour, std::size_t size = 20'000) {
  constexpr const char* words[2][6] = {{"the ", "model ", "learns ", "from ", "bytes ", "alone. "},
                                       {"int x;\n", "return ", "(a+b);", "{ ", "}\n", "for "}};
  noise_generator noise(seed);
  std::string result;
  while (result.size() < size) result += words[flavour][noise.below(6)];
  return {result.begin(), result.end()};
}

inline trainer_options quick(std::uint64_t steps) {
  trainer_options options;
  options.steps = steps;
  options.batch = 4;
  options.warmup_steps = 5;
  options.learning_rate = 5e-3f;
  options.seed = 3;
  return options;
}

/// Sets the threads of the process for as long as it lives.
struct with_threads {
  explicit with_threads(int threads) { configure_threads(threads); }
  ~with_threads() { configure_threads(1); }
};

inline std::vector<float> flat(const weights& model) {
  std::vector<float> values;
  for (const auto& spec : tensor_table(model.architecture())) {
    const auto tensor = model.tensor(spec.name);
    values.insert(values.end(), tensor.begin(), tensor.end());
  }
  return values;
}

}  // namespace soma::model::test
