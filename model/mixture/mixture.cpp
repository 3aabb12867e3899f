#include "model/mixture/mixture.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "messages/values/assert.hpp"

namespace soma::mixture {
namespace {

constexpr double default_rates[] = {0.0, 0x1p-10, 0x1p-8, 0x1p-6, 0x1p-4};

void normalise(std::vector<double>& values) {
  const double sum = std::accumulate(values.begin(), values.end(), 0.0);
  for (double& value : values) value /= sum;
}

/// Probabilities with the floor mixed in. They sum to 1 whatever `logs` holds.
void to_probabilities(std::span<const float> logs, std::array<double, 256>& out) {
  SOMA_ASSERT(logs.size() == 256, "a prediction has one value for each byte");
  double highest = -INFINITY;
  for (const float value : logs) {
    if (std::isfinite(value)) highest = std::max(highest, static_cast<double>(value));
  }
  double sum = 0;
  for (std::size_t i = 0; i < 256; ++i) {
    // A value that is not finite counts as impossible. That includes +infinity, since no
    // probability has that logarithm.
    out[i] = std::isfinite(logs[i]) ? std::exp(static_cast<double>(logs[i]) - highest) : 0.0;
    sum += out[i];
  }
  const double kept = 1 - 256 * least_byte_probability;
  for (double& p : out) p = (sum > 0 ? p / sum : 1.0 / 256) * kept + least_byte_probability;
}

}  // namespace

bayesian_mixture::bayesian_mixture(std::span<const double> priors)
    : bayesian_mixture(priors, default_rates) {}

bayesian_mixture::bayesian_mixture(std::span<const double> priors, std::span<const double> rates)
    : priors_(priors.begin(), priors.end()),
      rates_(rates.begin(), rates.end()),
      rate_beliefs_(rates.size(), 1.0 / static_cast<double>(rates.size())),
      experts_(priors.size()),
      share_sums_(priors.size(), 0.0),
      expert_costs_bits_(priors.size(), 0.0) {
  SOMA_ASSERT(!priors_.empty() && !rates_.empty(), "a mixture has experts and rates");
  SOMA_ASSERT(std::all_of(priors_.begin(), priors_.end(),
                          [](double p) { return p >= 0 && std::isfinite(p); }),
              "priors are finite and not negative");
  SOMA_ASSERT(std::accumulate(priors_.begin(), priors_.end(), 0.0) > 0, "an expert is possible");
  SOMA_ASSERT(std::all_of(rates_.begin(), rates_.end(), [](double a) { return a >= 0 && a <= 1; }),
              "switching rates are probabilities");
  normalise(priors_);
  beliefs_.assign(rates_.size(), priors_);
}

const byte_log_probs& bayesian_mixture::predict(
    std::span<const std::span<const float>> predictions) {
  SOMA_ASSERT(predictions.size() == experts(), "every expert predicts");
  const auto belief = beliefs();
  std::array<double, 256> mixed{};
  for (std::size_t i = 0; i < experts(); ++i) {
    to_probabilities(predictions[i], experts_[i]);
    for (std::size_t b = 0; b < 256; ++b) mixed[b] += belief[i] * experts_[i][b];
  }
  for (std::size_t b = 0; b < 256; ++b) mixed_[b] = std::log(mixed[b]);
  pending_ = true;
  return mixed_;
}

void bayesian_mixture::observe(std::uint8_t byte) {
  SOMA_ASSERT(pending_, "a byte is observed after its prediction");
  pending_ = false;
  std::vector<double> posterior(experts(), 0.0);
  for (std::size_t r = 0; r < rates_.size(); ++r) {
    auto& belief = beliefs_[r];
    double evidence = 0;
    for (std::size_t i = 0; i < experts(); ++i) {
      belief[i] *= experts_[i][byte];
      evidence += belief[i];
    }
    rate_beliefs_[r] *= evidence;  // each is at least the floor, so no sum below is zero
    for (double& value : belief) value /= evidence;
  }
  normalise(rate_beliefs_);
  for (std::size_t r = 0; r < rates_.size(); ++r) {
    for (std::size_t i = 0; i < experts(); ++i) {
      posterior[i] += rate_beliefs_[r] * beliefs_[r][i];
      // Before the next byte the best expert may change to any expert, each by its prior.
      beliefs_[r][i] = (1 - rates_[r]) * beliefs_[r][i] + rates_[r] * priors_[i];
    }
  }
  for (std::size_t i = 0; i < experts(); ++i) {
    share_sums_[i] += posterior[i];
    expert_costs_bits_[i] -= std::log2(experts_[i][byte]);
  }
  cost_bits_ -= mixed_[byte] / std::log(2.0);
  ++bytes_seen_;
}

std::vector<double> bayesian_mixture::beliefs() const {
  std::vector<double> belief(experts(), 0.0);
  for (std::size_t r = 0; r < rates_.size(); ++r) {
    for (std::size_t i = 0; i < experts(); ++i) belief[i] += rate_beliefs_[r] * beliefs_[r][i];
  }
  return belief;
}

std::vector<double> bayesian_mixture::shares() const {
  if (bytes_seen_ == 0) return priors_;
  auto shares = share_sums_;
  for (double& share : shares) share /= static_cast<double>(bytes_seen_);
  return shares;
}

double bayesian_mixture::cost_bits() const {
  return cost_bits_;
}

std::vector<double> prior_from_distances(std::span<const std::uint32_t> distances_q30,
                                         double temperature_q30) {
  SOMA_ASSERT(!distances_q30.empty() && temperature_q30 > 0,
              "there are experts, and the temperature is above zero");
  const auto nearest = *std::min_element(distances_q30.begin(), distances_q30.end());
  std::vector<double> priors;
  for (const auto distance : distances_q30) {
    priors.push_back(std::exp(-static_cast<double>(distance - nearest) / temperature_q30));
  }
  normalise(priors);
  return priors;
}

}  // namespace soma::mixture
