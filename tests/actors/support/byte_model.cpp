#include "tests/actors/support/byte_model.hpp"

#include <array>
#include <cmath>

#include "messages/crypto/hash.hpp"
#include "messages/crypto/random.hpp"
#include "model/noise/noise.hpp"

namespace soma::test {
namespace {

std::uint64_t seed_of(byte_view data) {
  const auto hash = crypto::hash("test.seed", data);
  std::uint64_t seed = 0;
  for (std::size_t i = 0; i < 8; ++i) seed = seed << 8 | hash.value[i];
  return seed;
}

class byte_engine final : public scoring::scoring_engine {
 public:
  explicit byte_engine(const weights::model_weights& weights)
      : dim_(weights.architecture().dim), weights_seed_(seed_of(weights.hash().view())) {
    const auto bias = weights.tensor("predictor.bias");
    double sum = 0;
    for (std::size_t i = 0; i < 256; ++i) sum += std::exp(static_cast<double>(bias[i]));
    for (std::size_t i = 0; i < 256; ++i)
      log_probs_[i] = static_cast<float>(bias[i] - std::log(sum));
  }
  [[nodiscard]] std::string_view name() const override { return "bytes"; }

  [[nodiscard]] expected<exact::score, scoring::score_refusal> run(
      byte_view data, std::uint64_t seed, const scoring::score_options&) override {
    if (data.empty()) return make_unexpected(scoring::score_refusal::empty_data);
    exact::score out;
    double cost = 0;
    for (const auto byte : data) cost -= log_probs_[byte];
    out.cross_entropy = static_cast<float>(cost / static_cast<double>(data.size()));
    out.sigreg = static_cast<float>(seed % 1000) / 1000;
    out.loss = out.cross_entropy + 0.02f * out.sigreg;
    out.bits_per_byte = static_cast<float>(out.cross_entropy / std::log(2.0));
    out.embedding = noise::normals(seed_of(data), dim_);
    const auto own = noise::normals(weights_seed_, dim_);
    for (std::size_t i = 0; i < dim_; ++i) out.embedding[i] += own[i];
    out.valid = true;
    return out;
  }

  [[nodiscard]] std::vector<float> next_byte_log_probs(byte_view context, std::uint64_t) override {
    std::vector<float> out;
    for (std::size_t i = 0; i < context.size(); ++i)
      out.insert(out.end(), log_probs_.begin(), log_probs_.end());
    return out;
  }

 private:
  std::size_t dim_;
  std::uint64_t weights_seed_;
  std::array<float, 256> log_probs_{};
};

}  // namespace

weights::model_weights byte_weights(const std::vector<bytes>& data, std::uint64_t seed) {
  std::array<double, 256> counts;
  counts.fill(0.05);  // every byte is possible
  for (const auto& file : data) {
    for (const auto byte : file) counts[byte] += 1;
  }
  const auto fresh = weights::init_weights(byte_architecture, seed);
  std::vector<float> values;
  for (const auto& spec : weights::tensor_table(byte_architecture)) {
    const auto tensor = fresh.tensor(spec.name);
    const auto first = values.insert(values.end(), tensor.begin(), tensor.end());
    if (spec.name != "predictor.bias") continue;
    for (std::size_t i = 0; i < 256; ++i)
      first[static_cast<std::ptrdiff_t>(i)] = static_cast<float>(std::log(counts[i]));
  }
  return weights::make_weights(byte_architecture, values);
}

trainer::trained_model train_byte_model(const std::vector<bytes>& data, std::uint64_t seed) {
  const auto weights = byte_weights(data, seed);
  return {weights.file_bytes(), make_byte_engine(weights)->run(data.front(), 0, {})->embedding};
}

std::unique_ptr<scoring::scoring_engine> make_byte_engine(const weights::model_weights& weights) {
  return std::make_unique<byte_engine>(weights);
}

bytes text_of(std::string_view alphabet, std::size_t size, std::uint64_t seed) {
  crypto::seeded_random random(seed);
  bytes out(size);
  for (auto& byte : out) byte = static_cast<std::uint8_t>(alphabet[random.below(alphabet.size())]);
  return out;
}

}  // namespace soma::test
