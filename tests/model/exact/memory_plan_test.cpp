#include "model/exact/memory_plan.hpp"

#include <doctest/doctest.h>

#include "tests/model/exact/random_inputs.hpp"

using namespace soma;
using namespace soma::test;

TEST_CASE("plans keep within their budget, and the least one exists") {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    CAPTURE(seed);
    noise::noise_generator random(seed);
    exact::plan_request request;
    request.architecture = random_architecture(random);
    request.sequences = 1 + random.below(100);
    request.batch = 1 + static_cast<std::uint32_t>(random.below(20));
    request.threads = 1 + static_cast<unsigned>(random.below(8));
    request.keep_packed = random.below(2) == 0;
    const auto unbounded = exact::plan_memory(request);
    REQUIRE(unbounded.has_value());
    const auto least = exact::least_memory_bytes(request);
    CHECK(least <= unbounded->total_bytes());
    for (int i = 0; i < 20; ++i) {
      request.budget_bytes = least / 2 + random.below(unbounded->total_bytes());
      const auto plan = exact::plan_memory(request);
      CHECK(plan.has_value() == (request.budget_bytes >= least));
      if (plan) CHECK(plan->total_bytes() <= request.budget_bytes);
    }
  }
}
