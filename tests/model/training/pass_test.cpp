// One training step: what its gradient depends on and what it does not depend on.
#include "model/training/pass.hpp"

#include <doctest/doctest.h>

#include "tests/model/training/gradients.hpp"

using namespace soma;
using namespace soma::test;
using namespace soma::training;
using namespace soma::weights;

TEST_CASE("threads and computing again leave every bit of loss and gradient alone") {
  const std::vector<bytes> data{text(1, 0, 5'000)};
  for (const char* shape : {"2,36,2,70,40", "2,64,4,600,130"}) {
    CAPTURE(std::string(shape));
    const auto from = noise_weights(*parse_architecture(shape), 3);
    double wanted_loss = 0;
    const auto wanted = first_gradient(from, data, quick(4), 1, false, wanted_loss);
    for (const std::size_t threads : {1, 2, 3, 5}) {
      for (const bool recompute : {false, true}) {
        CAPTURE(threads);
        CAPTURE(recompute);
        double loss = 0;
        CHECK(first_gradient(from, data, quick(4), threads, recompute, loss) == wanted);
        CHECK(loss == wanted_loss);
      }
    }
  }
}

TEST_CASE("every instruction set's kernels have the same gradient within rounding") {
  const std::vector<bytes> data{text(1, 0, 5'000)};
  for (const char* shape : {"1,4,1,4,16", "2,36,2,70,40", "2,64,4,600,130", "1,40,1,40,300"}) {
    CAPTURE(std::string(shape));
    const auto from = noise_weights(*parse_architecture(shape), 5);
    double wanted_loss = 0;
    const auto wanted = first_gradient(from, data, quick(4), 1, false, wanted_loss);
    for (const auto set : simd::available_isas()) {
      CAPTURE(std::string(to_text(set)));
      const auto& kernel = training::kernels_for(set);
      double loss = 0;
      CHECK(relative_distance(first_gradient(from, data, quick(4), 2, set == simd::isa::scalar,
                                             loss, kernel.products, kernel),
                              wanted) < 2e-5);
      CHECK(loss == doctest::Approx(wanted_loss).epsilon(1e-6));
    }
  }
}

TEST_CASE("with bfloat16 products gradients are those of f32 within its rounding, and as fixed") {
  const auto* const products = training::bf16_products();
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
    const auto wanted = first_gradient(from, data, quick(4), 1, false, wanted_loss);
    double first_loss = 0;
    const auto first = first_gradient(from, data, quick(4), 1, false, first_loss, *products);
    CHECK(first_loss == doctest::Approx(wanted_loss).epsilon(2e-3));
    CHECK(relative_distance(first, wanted) < 0.03);
    // so the products were really rounded to bfloat16
    CHECK(relative_distance(first, wanted) > 1e-5);
    double loss = 0;
    CHECK(first_gradient(from, data, quick(4), 3, true, loss, *products) == first);
    CHECK(loss == first_loss);
  }
}
