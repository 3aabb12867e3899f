#include "model/mixture/mixture.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "model/noise/noise.hpp"

using namespace soma::mixture;
using namespace soma::noise;

namespace {

using logs = std::vector<float>;

/// A distribution that gives `byte` about the probability `p` and spreads the rest.
logs favouring(std::uint8_t byte, double p) {
  logs result(256, static_cast<float>(std::log((1 - p) / 255)));
  result[byte] = static_cast<float>(std::log(p));
  return result;
}

logs random_distribution(noise_generator& noise, float sharpness) {
  logs result(256);
  for (auto& value : result) value = sharpness * static_cast<float>(noise.normal());
  return result;  // not normalised, because the mixture normalises it
}

std::vector<std::span<const float>> views(const std::vector<logs>& all) {
  return {all.begin(), all.end()};
}

double sum(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

}  // namespace

TEST_CASE(
    "on any text the mixture is worse than the best expert by at most ln(1/prior) + ln(rates)") {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    CAPTURE(seed);
    noise_generator noise(seed);
    const std::size_t experts = 1 + seed % 6;
    std::vector<double> priors;
    for (std::size_t i = 0; i < experts; ++i) priors.push_back(0.01 + noise.uniform(0, 1));
    const double total = sum(priors);
    bayesian_mixture mix(priors);
    for (int step = 0; step < 120; ++step) {
      std::vector<logs> predictions;
      for (std::size_t i = 0; i < experts; ++i) {
        predictions.push_back(
            random_distribution(noise, 0.2f + 4.0f * static_cast<float>((seed + i) % 3)));
      }
      const auto& mixed = mix.predict(views(predictions));
      double probability = 0;
      for (const double value : mixed) probability += std::exp(value);
      CHECK(probability == doctest::Approx(1).epsilon(1e-9));
      // Half of the texts are what expert 0 expects, and half are random.
      std::uint8_t byte = static_cast<std::uint8_t>(noise.below(256));
      if (seed % 2 == 0)
        byte = static_cast<std::uint8_t>(
            std::max_element(predictions[0].begin(), predictions[0].end()) -
            predictions[0].begin());
      mix.observe(byte);
      CHECK(sum(mix.beliefs()) == doctest::Approx(1).epsilon(1e-9));
      CHECK(sum(mix.shares()) == doctest::Approx(1).epsilon(1e-9));
      for (std::size_t i = 0; i < experts; ++i) {
        const double bound_bits = (std::log(total / priors[i]) + std::log(5.0)) / std::log(2.0);
        CHECK(mix.cost_bits() <= mix.expert_costs_bits()[i] + bound_bits + 1e-6);
      }
    }
  }
}

TEST_CASE("where the text changes its nature the mixture beats every single expert") {
  const std::vector<double> priors{1, 1, 1};
  bayesian_mixture mix(priors);
  const std::vector<logs> predictions{favouring('a', 0.9), favouring('b', 0.9), logs(256, 0.0f)};
  for (int part = 0; part < 6; ++part) {
    for (int i = 0; i < 200; ++i) {
      mix.predict(views(predictions));
      mix.observe(part % 2 == 0 ? 'a' : 'b');
    }
  }
  for (const double cost : mix.expert_costs_bits()) CHECK(mix.cost_bits() < 0.5 * cost);
  CHECK(mix.bytes_seen() == 1200);
  const auto shares = mix.shares();
  CHECK(shares[0] == doctest::Approx(0.5).epsilon(0.1));
  CHECK(shares[1] == doctest::Approx(0.5).epsilon(0.1));
  CHECK(shares[2] < 0.05);
}

TEST_CASE("without switching the belief is prior times likelihood") {
  const std::vector<double> priors{0.75, 0.25};
  const std::vector<double> rates{0.0};
  bayesian_mixture mix(priors, rates);
  const std::vector<logs> predictions{favouring('x', 0.2), favouring('x', 0.8)};
  mix.predict(views(predictions));
  mix.observe('x');
  const auto belief = mix.beliefs();
  CHECK(belief[0] == doctest::Approx(0.75 * 0.2 / (0.75 * 0.2 + 0.25 * 0.8)).epsilon(1e-6));
  CHECK(mix.cost_bits() == doctest::Approx(-std::log2(0.75 * 0.2 + 0.25 * 0.8)).epsilon(1e-6));
}

TEST_CASE("an expert of nonsense neither breaks nor rules the mixture") {
  const std::vector<double> priors{1, 1, 1, 1};
  bayesian_mixture mix(priors);
  std::vector<logs> predictions{favouring('q', 0.5), logs(256, NAN), logs(256, -INFINITY),
                                logs(256, INFINITY)};
  for (int i = 0; i < 100; ++i) {
    mix.predict(views(predictions));
    mix.observe('q');
    CHECK(std::isfinite(mix.cost_bits()));
  }
  CHECK(mix.beliefs()[0] > 0.9);
  // The expert is certain of another byte. Its cost must stay finite.
  predictions[0].assign(256, -INFINITY);
  predictions[0]['z'] = 0;
  mix.predict(views(predictions));
  mix.observe('q');
  CHECK(std::isfinite(mix.cost_bits()));
  CHECK(sum(mix.beliefs()) == doctest::Approx(1));
}

TEST_CASE("one expert alone is the mixture") {
  const std::vector<double> priors{3};
  bayesian_mixture mix(priors);
  const std::vector<logs> predictions{favouring('a', 0.5)};
  for (int i = 0; i < 50; ++i) {
    CHECK(mix.predict(views(predictions))['a'] == doctest::Approx(std::log(0.5)).epsilon(1e-6));
    mix.observe('a');
  }
  CHECK(mix.shares() == std::vector<double>{1.0});
  CHECK(mix.cost_bits() == doctest::Approx(50).epsilon(1e-6));
}

TEST_CASE("nearer experts have the larger priors, and an offset common to all changes nothing") {
  const std::vector<std::uint32_t> distances{1u << 30, (1u << 30) + (1u << 25), 1u << 31};
  const auto priors = prior_from_distances(distances);
  CHECK(sum(priors) == doctest::Approx(1));
  CHECK(priors[0] / priors[1] == doctest::Approx(std::exp(1.0)));
  CHECK(priors[2] < 1e-9);
  const std::vector<std::uint32_t> shifted{5, 5 + (1u << 25), 5 + (1u << 30)};
  const auto same = prior_from_distances(shifted);
  for (std::size_t i = 0; i < 3; ++i) CHECK(same[i] == doctest::Approx(priors[i]));
}
