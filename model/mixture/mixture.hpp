// Bayes over experts: several models predict the next byte, each is believed as far as it has been
// right so far. Belief may move: with a switching rate a, an expert that is right now may give way
// with probability a a byte (fixed share, Herbster and Warmuth 1998); the rate itself is unknown,
// so a second Bayes layer runs over several rates, 0 among them. Therefore, over any text, in nats:
// total cost <= cost of the best single expert i + ln(1 / prior_i) + ln(rates). Where a text
// changes its nature the mixture beats every single expert.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace soma::model {

/// Natural-log probabilities of the 256 values of the next byte.
using byte_log_probs = std::array<double, 256>;

/// Probabilities of a byte that an expert gives are not let fall below this, so that one impossible
/// byte cannot make an expert's cost infinite; the floor is mixed in, so they still sum to one.
inline constexpr double least_byte_probability = 0x1p-40;

class mixture {
 public:
  /// `priors`: one for each expert, at least one expert; not negative, finite, of positive sum
  /// (they are normalised). `rates`: probabilities of a switch before each byte, in [0, 1]; all
  /// equally likely at first.
  explicit mixture(std::span<const double> priors);
  mixture(std::span<const double> priors, std::span<const double> rates);

  [[nodiscard]] std::size_t experts() const { return priors_.size(); }

  /// The mixed distribution of the next byte. `predictions[i]` holds expert i's 256 natural-log
  /// probabilities; they are normalised here. NaN counts as impossible; an expert without any
  /// finite value predicts uniformly.
  const byte_log_probs& predict(std::span<const std::span<const float>> predictions);

  /// The byte that came; predict() must have been called for it. Updates beliefs and shares.
  void observe(std::uint8_t byte);

  /// Belief in each expert for the next byte; sums to 1.
  [[nodiscard]] std::vector<double> beliefs() const;
  /// Fraction of the bytes seen so far that each expert carried: the mean belief after each byte,
  /// so that the byte itself has its say. Sums to 1; the priors before any byte.
  [[nodiscard]] std::vector<double> shares() const;
  /// The mixture's cost of all bytes so far, and each expert's own.
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

/// Priors that fall off with distance: exp(-(d_i - min d) / temperature), normalised.
/// `temperature_q30` is in the units of the distances; the default, 2^-5 of a unit of cosine
/// distance, makes an expert 1/32 farther e times less likely.
[[nodiscard]] std::vector<double> prior_from_distances(std::span<const std::uint32_t> distances_q30,
                                                       double temperature_q30 = 0x1p25);

}  // namespace soma::model
