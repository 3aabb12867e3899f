// The exact engine and the reference engine are two programs for one function.
#include <doctest/doctest.h>

#include <cmath>

#include "model/reference/torch_engine.hpp"
#include "tests/model/exact/exact_cases.hpp"
#include "tests/model/reference/recorded_network.hpp"

using namespace soma;
using namespace soma::test;

namespace {

double distance_over_norm(const std::vector<float>& a, const std::vector<float>& b) {
  REQUIRE(a.size() == b.size());
  double off = 0;
  double norm = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    off += std::pow(static_cast<double>(a[i]) - b[i], 2);
    norm += std::pow(static_cast<double>(b[i]), 2);
  }
  return std::sqrt(off / norm);
}

}  // namespace

TEST_CASE("the exact engine and the reference agree on every case") {
  // More expensive cases need SOMA_ALL_CASES=1, because the reference takes minutes for them. Of
  // the largest architecture one whole sequence is compared.
  const bool wants_all = std::getenv("SOMA_ALL_CASES") != nullptr;
  const auto is_dear = [](const exact_case& c) {
    return giga_cost(c) > 16 && !(c.arch.dim >= 512 && c.bytes == 1'024);
  };
  const auto engines = scoring::exact_engines(2);
  double worst_loss = 0;
  double worst_embedding = 0;
  for (const auto& c : exact_cases) {
    if (!wants_all && is_dear(c)) continue;
    CAPTURE(c.name);
    CAPTURE(c.far);
    CAPTURE(c.bytes);
    const auto weights = weights_of(c);
    const auto data = data_of_case(c);
    const auto ours = engines(weights)->run(data, c.seed());
    const auto wanted = reference::make_torch_engine(weights)->run(data, c.seed());
    REQUIRE(ours.has_value());
    REQUIRE(wanted.has_value());
    const double loss = std::abs(ours->loss / static_cast<double>(wanted->loss) - 1);
    const double embedding = distance_over_norm(ours->embedding, wanted->embedding);
    CHECK(loss < 1e-4);
    CHECK(embedding < 1e-3);
    CHECK(ours->cross_entropy == doctest::Approx(wanted->cross_entropy).epsilon(1e-4));
    CHECK(ours->sigreg == doctest::Approx(wanted->sigreg).epsilon(1e-3));
    CHECK(ours->bits_per_byte == doctest::Approx(wanted->bits_per_byte).epsilon(1e-4));
    worst_loss = std::max(worst_loss, loss);
    worst_embedding = std::max(worst_embedding, embedding);
  }
  MESSAGE("largest difference: loss " << worst_loss << ", embedding " << worst_embedding);
}

TEST_CASE("the exact engine gives the recorded scores") {
  const auto weights = recorded_network(42);
  const auto engine = scoring::exact_engines()(weights);
  for (const auto& wanted : recorded_scores) {
    CAPTURE(wanted.bytes);
    bytes data;
    for (std::size_t i = 0; i < wanted.bytes; ++i) data.push_back(static_cast<std::uint8_t>(i));
    const auto score = engine->run(data, 42, {2, {}});
    REQUIRE(score.has_value());
    CHECK(score->cross_entropy == doctest::Approx(wanted.cross_entropy).epsilon(1e-5));
    CHECK(score->sigreg == doctest::Approx(wanted.sigreg).epsilon(1e-5));
    CHECK(score->loss == doctest::Approx(wanted.loss).epsilon(1e-5));
  }
}

// Arithmetic §5.14.
TEST_CASE("next-byte probabilities of the engine and the reference agree, at any offset") {
  for (const std::uint64_t offset : {0ull, 1'000'000ull}) {
    CAPTURE(offset);
    const auto weights = far_weights({2, 48, 3, 100, 64}, 3);
    const auto ours = scoring::exact_engines()(weights);
    const auto wanted = reference::make_torch_engine(weights);
    for (const std::size_t size : {1, 31, 32, 33, 64}) {
      CAPTURE(size);
      const bytes context(size, 120);
      const auto a = ours->next_byte_log_probs(context, offset);
      const auto b = wanted->next_byte_log_probs(context, offset);
      REQUIRE(a.size() == size * 256);
      REQUIRE(b.size() == size * 256);
      for (std::size_t i = 0; i < a.size(); ++i) {
        if (std::abs(a[i] - b[i]) > 2e-3)
          FAIL_CHECK("position " << i << ": " << a[i] << ", " << b[i]);
      }
    }
  }
}
