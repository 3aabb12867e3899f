// Compares the trainer with libtorch's autograd: one step in detail, then whole runs.
#include "model/reference/eager_trainer.hpp"

#include <doctest/doctest.h>

#include "tests/model/training/gradients.hpp"

using namespace soma;
using namespace soma::reference;
using namespace soma::test;
using namespace soma::training;
using namespace soma::weights;

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
      const auto from = far ? noise_weights(arch, seed) : init_weights(arch, seed);
      auto options = quick(4);
      options.seed = seed;
      options.short_share = seed % 3 == 0 ? 0.5f : 0.0f;
      options.sigreg_positions = seed % 4 == 1 ? 0 : 100;
      auto eager = eager_trainer::start(from, data, options);
      const auto progress = eager->step();
      REQUIRE(progress.has_value());
      const auto wanted = eager->last_gradient();
      double loss = 0;
      const auto got = first_gradient(from, data, options, 1, false, loss);
      CHECK(loss == doctest::Approx(progress->loss).epsilon(2e-6));
      // A norm of two numbers keeps little more than their order, so most of its gradient is
      // rounding.
      const double most = arch.dim == 2 ? 2e-2 : 2e-4;
      std::size_t first = 0;
      for (const auto& spec : tensor_table(arch)) {
        CAPTURE(spec.name);
        const auto part = [&](const std::vector<float>& all) {
          return std::span(all).subspan(first, spec.elements());
        };
        // The bias of a key moves all scores of a query alike, so its gradient is only rounding.
        if (!spec.name.ends_with("key.bias"))
          CHECK(relative_distance(part(got), part(wanted)) < most);
        first += spec.elements();
      }
      CHECK(relative_distance(got, wanted) < most / 10);
    }
  }
}

TEST_CASE("the losses of a run follow those of the eager one, step by step") {
  for (const std::uint64_t seed : {1, 2}) {
    CAPTURE(seed);
    const std::vector<bytes> data{text(seed, 0), text(seed, 1, 2'000)};
    auto options = quick(40);
    options.seed = seed;
    auto ours = trainer::start(init_weights(fresh().architecture(), seed), data, options);
    auto eager = eager_trainer::start(init_weights(fresh().architecture(), seed), data, options);
    for (int step = 0; step < 40; ++step) {
      CAPTURE(step);
      const auto got = ours->step();
      const auto wanted = eager->step();
      REQUIRE(got.has_value());
      REQUIRE(wanted.has_value());
      // Rounding errors grow from step to step.
      CHECK(got->loss == doctest::Approx(wanted->loss).epsilon(step < 10 ? 1e-5 : 1e-3));
      CHECK(got->bits_per_byte == doctest::Approx(wanted->bits_per_byte).epsilon(1e-3));
    }
  }
}
