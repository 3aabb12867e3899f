// A Bayesian mixture of experts: several models predict the next byte, and each has the weight that
// its predictions so far have earned.
//
// The best expert may change within a text. With a switching rate a, before each byte the belief
// moves away from an expert with probability a and goes to all experts by their priors (fixed
// share, Herbster and Warmuth 1998). The right rate is unknown, so a second Bayesian layer mixes
// several rates, 0 among them. Therefore over any text, in nats:
//
//   total cost <= cost of the best single expert i + ln(1 / prior of i) + ln(number of rates)
//
// On a text whose best expert changes, the mixture can be better than every single expert.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace soma::mixture {

/// Natural logarithms of the probabilities of the 256 values of the next byte.
using byte_log_probs = std::array<double, 256>;

/// The smallest probability of a byte that the mixture accepts from an expert, so that one byte
/// that an expert called impossible cannot make its cost infinite. The floor is mixed into the
/// expert's prediction, which still sums to one.
inline constexpr double least_byte_probability = 0x1p-40;

class bayesian_mixture {
 public:
  /// `priors` has one value for each of at least one expert. The values are finite, not negative
  /// and of positive sum; they are normalised here. `rates` are probabilities of a switch before
  /// each byte, in [0, 1], all equally likely at first.
  explicit bayesian_mixture(std::span<const double> priors);
  bayesian_mixture(std::span<const double> priors, std::span<const double> rates);

  [[nodiscard]] std::size_t experts() const { return priors_.size(); }

  /// Mixes the experts' predictions of the next byte. predictions[i] has expert i's 256 logarithms
  /// of probabilities; they are normalised here. A value that is not finite counts as impossible,
  /// and an expert without any finite value predicts all bytes alike.
  const byte_log_probs& predict(std::span<const std::span<const float>> predictions);

  /// Takes the byte that came, and updates beliefs and shares. predict() must have been called for
  /// this byte.
  void observe(std::uint8_t byte);

  /// The belief in each expert for the next byte. They sum to 1.
  [[nodiscard]] std::vector<double> beliefs() const;
  /// Each expert's share of the bytes seen so far: the mean over the bytes of the belief in it
  /// after the byte. Shares sum to 1; before any byte they are the priors.
  [[nodiscard]] std::vector<double> shares() const;
  /// The cost of all bytes so far, of the mixture and of each expert alone.
  [[nodiscard]] double cost_bits() const;
  [[nodiscard]] const std::vector<double>& expert_costs_bits() const { return expert_costs_bits_; }
  [[nodiscard]] std::uint64_t bytes_seen() const { return bytes_seen_; }

 private:
  std::vector<double> priors_;
  std::vector<double> rates_;
  std::vector<double> rate_beliefs_;          // sums to 1
  std::vector<std::vector<double>> beliefs_;  // [rate][expert], each sums to 1, for the next byte
  std::vector<std::array<double, 256>> experts_;  // probabilities of the pending prediction
  byte_log_probs mixed_{};
  bool pending_ = false;
  std::vector<double> share_sums_;
  std::vector<double> expert_costs_bits_;
  double cost_bits_ = 0;
  std::uint64_t bytes_seen_ = 0;
};

/// Priors that fall with the distance: exp(-(distance - smallest distance) / temperature),
/// normalised. `temperature_q30` has the unit of the distances. With the default, 2^-5 of cosine
/// distance, an expert that is 1/32 farther is e times less likely.
[[nodiscard]] std::vector<double> prior_from_distances(std::span<const std::uint32_t> distances_q30,
                                                       double temperature_q30 = 0x1p25);

}  // namespace soma::mixture
