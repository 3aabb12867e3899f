// Loss and gradient of one training step, held against libtorch's autograd.
#include <doctest/doctest.h>

#include <cmath>
#include <span>

#include "model/torch/eager_trainer.hpp"
#include "model/torch/training_pass.hpp"
#include "tests/model/training_samples.hpp"

using namespace soma;
using namespace soma::model;
using namespace soma::model::test;

namespace {

/// Far from how training begins: every tensor is noise, norms included.
weights wild(const model_architecture& arch, std::uint64_t seed) {
  auto values = normals(seed, parameter_count(arch));
  for (float& value : values) value *= 0.4f;
  return make_weights(arch, values);
}

/// The trainer's own gradient of the first step.
std::vector<float> gradient(const weights& from, const std::vector<bytes>& data,
                            const trainer_options& options, std::size_t threads, bool recompute,
                            double& loss,
                            const twin::product_set& products = twin::kernels().products,
                            const twin::kernel_set& kernel = twin::kernels()) {
  auto plan = *twin::make_plan(data, options);
  plan.architecture = from.architecture();
  const auto input = plan.draw(0);
  const auto parameters = flat(from);
  twin::team workers(threads);
  twin::training_pass pass(from.architecture(), plan.positions(), products, recompute, workers,
                           kernel);
  loss = pass.forward(parameters.data(), input).total;
  std::vector<float> result(parameters.size(), NAN);
  pass.backward(parameters.data(), input, result.data());
  return result;
}

/// Length of the difference over the length of what is wanted.
double distance(std::span<const float> got, std::span<const float> wanted) {
  double off = 0;
  double length = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    off += std::pow(static_cast<double>(got[i]) - wanted[i], 2);
    length += std::pow(static_cast<double>(wanted[i]), 2);
  }
  return std::sqrt(off / std::max(length, 1e-30));
}

}  // namespace

TEST_CASE("loss and gradient of a step are those of libtorch's autograd, tensor by tensor") {
  const std::vector<bytes> data{text(1, 0, 3'000), text(2, 1, 100)};
  std::uint64_t seed = 0;
  for (const char* shape : {"1,2,1,1,2", "1,4,1,4,16", "2,36,2,70,40", "3,64,4,300,65",
                            "1,288,1,40,80", "2,32,2,48,300"}) {
    for (const bool far : {false, true}) {
      ++seed;
      CAPTURE(std::string(shape));
      CAPTURE(seed);
      const auto arch = *parse_architecture(shape);
      const auto from = far ? wild(arch, seed) : init_weights(arch, seed);
      auto options = quick(4);
      options.seed = seed;
      options.short_share = seed % 3 == 0 ? 0.5f : 0.0f;
      options.sigreg_positions = seed % 4 == 1 ? 0 : 100;
      auto eager = eager_trainer::start(from, data, options);
      const auto progress = eager->step();
      REQUIRE(progress.has_value());
      const auto wanted = eager->last_gradient();
      double loss = 0;
      const auto got = gradient(from, data, options, 1, false, loss);
      CHECK(loss == doctest::Approx(progress->loss).epsilon(2e-6));
      // The norm of two numbers is all but their order: what passes it is rounding, mostly.
      const double most = arch.dim == 2 ? 2e-2 : 2e-4;
      std::size_t first = 0;
      for (const auto& spec : tensor_table(arch)) {
        CAPTURE(spec.name);
        const auto part = [&](const std::vector<float>& all) {
          return std::span(all).subspan(first, spec.elements());
        };
        // A key's bias moves every score of a query alike, so its gradient is rounding alone.
        if (!spec.name.ends_with("key.bias")) CHECK(distance(part(got), part(wanted)) < most);
        first += spec.elements();
      }
      CHECK(distance(got, wanted) < most / 10);
    }
  }
}

TEST_CASE("threads and computing again leave every bit of loss and gradient alone") {
  const std::vector<bytes> data{text(1, 0, 5'000)};
  for (const char* shape : {"2,36,2,70,40", "2,64,4,600,130"}) {
    CAPTURE(std::string(shape));
    const auto from = wild(*parse_architecture(shape), 3);
    double wanted_loss = 0;
    const auto wanted = gradient(from, data, quick(4), 1, false, wanted_loss);
    for (const std::size_t threads : {1, 2, 3, 5}) {
      for (const bool recompute : {false, true}) {
        CAPTURE(threads);
        CAPTURE(recompute);
        double loss = 0;
        CHECK(gradient(from, data, quick(4), threads, recompute, loss) == wanted);
        CHECK(loss == wanted_loss);
      }
    }
  }
}

TEST_CASE("every instruction set's kernels have the same gradient within rounding") {
  const std::vector<bytes> data{text(1, 0, 5'000)};
  for (const char* shape : {"1,4,1,4,16", "2,36,2,70,40", "2,64,4,600,130", "1,40,1,40,300"}) {
    CAPTURE(std::string(shape));
    const auto from = wild(*parse_architecture(shape), 5);
    double wanted_loss = 0;
    const auto wanted = gradient(from, data, quick(4), 1, false, wanted_loss);
    for (std::size_t set = 0; twin::runnable_kernels(set) != nullptr; ++set) {
      CAPTURE(set);
      const auto& kernel = *twin::runnable_kernels(set);
      double loss = 0;
      CHECK(distance(gradient(from, data, quick(4), 2, set % 2 == 0, loss, kernel.products, kernel),
                     wanted) < 2e-5);
      CHECK(loss == doctest::Approx(wanted_loss).epsilon(1e-6));
    }
  }
}

TEST_CASE("with bfloat16 products gradients are those of f32 within its rounding, and as fixed") {
  const auto* const products = twin::bf16_products();
  auto options = quick(200);
  options.precision = train_precision::bf16;
  const std::vector<bytes> data{text(1, 0)};
  if (products == nullptr) {
    MESSAGE("this processor has no bfloat16 products: they must be refused");
    CHECK(trainer::start(fresh(), data, options).error() == train_refusal::precision_unsupported);
    return;
  }
  for (const char* shape : {"1,4,1,4,16", "2,36,2,71,40", "2,64,4,600,130"}) {
    CAPTURE(std::string(shape));
    const auto from = init_weights(*parse_architecture(shape), 3);
    double wanted_loss = 0;
    const auto wanted = gradient(from, data, quick(4), 1, false, wanted_loss);
    double first_loss = 0;
    const auto first = gradient(from, data, quick(4), 1, false, first_loss, *products);
    CHECK(first_loss == doctest::Approx(wanted_loss).epsilon(2e-3));
    CHECK(distance(first, wanted) < 0.03);
    CHECK(distance(first, wanted) > 1e-5);  // it is bfloat16 that was used
    double loss = 0;
    CHECK(gradient(from, data, quick(4), 3, true, loss, *products) == first);
    CHECK(loss == first_loss);
  }
}
