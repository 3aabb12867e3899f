// The loss and gradient of one training step, for tests.
#pragma once

#include <cmath>
#include <span>

#include "model/training/pass.hpp"
#include "tests/model/training/training_samples.hpp"

namespace soma::test {

/// Weights that are far from the initial ones: every tensor is noise, also the norms.
inline weights::model_weights noise_weights(const model_architecture& arch, std::uint64_t seed) {
  auto values = noise::normals(seed, weights::parameter_count(arch));
  for (float& value : values) value *= 0.4f;
  return weights::make_weights(arch, values);
}

/// The gradient of the first step of a run, by the trainer's own pass.
inline std::vector<float> first_gradient(
    const weights::model_weights& from, const std::vector<bytes>& data,
    const training::trainer_options& options, std::size_t threads, bool recompute, double& loss,
    const training::matmul_kernels& products = training::kernels().products,
    const training::kernel_set& kernel = training::kernels()) {
  auto plan = *training::make_plan(data, options);
  plan.architecture = from.architecture();
  const auto input = plan.draw(0);
  const auto parameters = flat(from);
  training::team workers(threads);
  training::training_pass pass(from.architecture(), plan.max_positions(), products, recompute,
                               workers, kernel);
  loss = pass.forward(parameters.data(), input).total;
  std::vector<float> result(parameters.size(), NAN);
  pass.backward(parameters.data(), input, result.data());
  return result;
}

/// The length of the difference divided by the length of the wanted vector.
inline double relative_distance(std::span<const float> got, std::span<const float> wanted) {
  double difference = 0;
  double length = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    difference += std::pow(static_cast<double>(got[i]) - wanted[i], 2);
    length += std::pow(static_cast<double>(wanted[i]), 2);
  }
  return std::sqrt(difference / std::max(length, 1e-30));
}

}  // namespace soma::test
