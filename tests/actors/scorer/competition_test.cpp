// Contests between models. The winner depends on integers and exact bits, so every machine names
// the same winner, and a copy never beats its original.
#include "actors/scorer/competition.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "actors/rules/winner.hpp"
#include "model/noise/noise.hpp"
#include "model/scoring/exact_engine.hpp"

using namespace soma;
using namespace soma::scorer;

namespace {

constexpr model_architecture small_network{1, 16, 2, 24, 32};

bytes random_text(noise::noise_generator& random, std::size_t size) {
  bytes data(size);
  for (auto& byte : data) byte = static_cast<std::uint8_t>(97 + random.below(20));
  return data;
}

/// Weights whose matrices have this deviation. The larger it is, the worse is the model.
std::vector<float> random_weights(noise::noise_generator& random, float matrix = 0.5f) {
  std::vector<float> values;
  for (const auto& spec : weights::tensor_table(small_network)) {
    const bool gamma = spec.name.ends_with(".gamma");
    const float deviation = spec.shape.size() == 2 ? matrix : 0.2f;
    const auto drawn =
        noise::normals(random.next_u64(), spec.elements(), gamma ? 1.0f : 0.0f, deviation);
    values.insert(values.end(), drawn.begin(), drawn.end());
  }
  return values;
}

std::vector<float> values_of(const weights::model_weights& weights) {
  std::vector<float> values;
  for (const auto& spec : weights::tensor_table(weights.architecture())) {
    const auto part = weights.tensor(spec.name);
    values.insert(values.end(), part.begin(), part.end());
  }
  return values;
}

/// The same weights, each changed by a normal multiple of itself.
std::vector<float> copy_with_noise(const std::vector<float>& values, float noise,
                                   std::uint64_t seed) {
  const auto off = noise::normals(seed, values.size(), 0, noise);
  std::vector<float> copy(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) copy[i] = values[i] * (1 + off[i]);
  return copy;
}

model_version_ref ref_of_number(std::size_t i) {
  model_version_ref ref;
  ref.model.value[0] = static_cast<std::uint8_t>(i + 1);
  return ref;
}

struct crowd {
  std::vector<std::unique_ptr<scoring::scoring_engine>> engines;
  std::vector<competitor> competitors;
  void add(const weights::model_weights& weights, const std::shared_ptr<exact::workspace>& space,
           std::uint64_t activation_order) {
    engines.push_back(scoring::make_exact_engine(weights, space));
    competitors.push_back({engines.back().get(), weights.architecture(), weights.hash(),
                           ref_of_number(competitors.size()), activation_order});
  }
};

/// An engine whose losses are given beforehand, batch by batch.
class scripted_engine final : public scoring::scoring_engine {
 public:
  explicit scripted_engine(std::vector<float> losses) : losses_(std::move(losses)) {}
  [[nodiscard]] std::string_view name() const override { return "scripted"; }
  [[nodiscard]] expected<exact::score, scoring::score_refusal> run(
      byte_view, std::uint64_t, const scoring::score_options& options) override {
    exact::score score;
    for (std::size_t n = 1; n <= losses_.size(); ++n) {
      score.loss += (losses_[n - 1] - score.loss) / static_cast<float>(n);
      ++batches_run;
      if (n < losses_.size() && options.keep_going &&
          !options.keep_going({0, n, losses_.size(), score.loss})) {
        return make_unexpected(scoring::score_refusal::given_up);
      }
    }
    score.valid = std::isfinite(score.loss);
    score.embedding = {1, score.loss};
    return score;
  }
  [[nodiscard]] std::vector<float> next_byte_log_probs(byte_view, std::uint64_t) override {
    return {};
  }
  std::size_t batches_run = 0;

 private:
  std::vector<float> losses_;
};

}  // namespace

TEST_CASE("1,000 contests between a model and noisy copies: one winner everywhere, never a copy") {
  std::vector<std::shared_ptr<exact::workspace>> spaces;
  for (const auto set : simd::available_isas()) {
    if (set == simd::isa::portable) continue;
    for (const unsigned threads : {1u, 2u, 3u}) {
      spaces.push_back(std::make_shared<exact::workspace>(threads, set));
    }
  }
  std::size_t plain_minimum_is_a_copy = 0;
  for (std::uint64_t seed = 0; seed < 1'000; ++seed) {
    CAPTURE(seed);
    noise::noise_generator random(seed);
    // Initial networks change little under noise of 1e-3. Untrained networks of other kinds change
    // so much that a copy can be better than the margin, so they get less noise.
    const bool is_initial = seed % 2 == 0;
    const float decade = is_initial ? 10.0f : 3.16f;
    const auto original =
        is_initial ? values_of(weights::init_weights(small_network, seed)) : random_weights(random);
    const auto data =
        random_text(random, is_initial ? 60 + random.below(60) : 1 + random.below(40));
    const auto place = random.below(6);  // of the original among its copies
    std::vector<weights::model_weights> models;
    float noise = 1e-7f;  // grows up to 1e-3, or up to 1e-5
    for (std::size_t i = 0; i < 6; ++i) {
      if (i == place) {
        models.push_back(weights::make_weights(small_network, original));
        continue;
      }
      models.push_back(weights::make_weights(small_network,
                                             copy_with_noise(original, noise, random.next_u64())));
      noise *= decade;
    }
    std::vector<hash256> first;
    for (const auto& space : spaces) {
      CAPTURE(simd::to_text(space->kernels().set));
      CAPTURE(space->threads());
      crowd all;
      for (std::size_t i = 0; i < models.size(); ++i) {
        all.add(models[i], space, i == place ? 1 : 2 + i);
      }
      const auto result = compete(all.competitors, {data, seed, {}, false});
      REQUIRE(result.has_value());
      CHECK(result->winner == place);
      std::vector<hash256> digests;
      for (const auto& entry : result->entries) digests.push_back(entry.digest);
      if (first.empty()) {
        first = digests;
        const auto lowest = std::min_element(
            result->entries.begin(), result->entries.end(),
            [](const auto& a, const auto& b) { return a.score.loss < b.score.loss; });
        plain_minimum_is_a_copy +=
            static_cast<std::size_t>(lowest - result->entries.begin()) != place;
      }
      CHECK(digests == first);
    }
  }
  // The contests are close: without the margin, copies would win many of them.
  CHECK(plain_minimum_is_a_copy > 300);
}

// Protocol §8.3.1.
TEST_CASE("a bad model takes part and loses, wherever it stands, and alone nothing wins") {
  const bytes data(100, 7);
  for (std::size_t bad = 0; bad < 3; ++bad) {
    CAPTURE(bad);
    scripted_engine first({2.f}), second({1.f});
    std::vector<competitor> competitors;
    for (std::size_t i = 0; i < 3; ++i) {
      auto* engine = i == bad                                   ? nullptr
                     : competitors.size() == (bad == 0 ? 1 : 0) ? &first
                                                                : &second;
      competitors.push_back({engine, small_network, {}, ref_of_number(i), i + 1});
    }
    const auto result = compete(competitors, {data, 1, {}, false});
    REQUIRE(result.has_value());
    CHECK(competitors.at(result->winner).engine == &second);
    CHECK(result->entries[bad].given_up);
    const auto alone = compete(std::span(competitors).subspan(bad, 1), {data, 1, {}, true});
    REQUIRE(alone.has_value());
    CHECK(alone->winner == no_winner);
  }
}

TEST_CASE("giving up models that can no longer win changes neither winner nor its score") {
  const auto space = std::make_shared<exact::workspace>(2);
  std::size_t given_up = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    CAPTURE(seed);
    noise::noise_generator random(seed);
    const auto data = random_text(random, 32 * 16 * 4 + random.below(600));  // 5 or 6 batches
    const auto point = noise::normals(seed, small_network.dim);
    const auto base = random_weights(random);
    crowd all;
    for (std::size_t i = 0; i < 5; ++i) {
      const bool close = random.below(2) == 0;
      all.add(weights::make_weights(
                  small_network,
                  close ? copy_with_noise(base, 1e-2f, random.next_u64())
                        : random_weights(random, 0.25f * static_cast<float>(1 + random.below(6)))),
              space, random.below(100));
    }
    const auto whole = compete(all.competitors, {data, seed, point, false});
    const auto cut = compete(all.competitors, {data, seed, point, true});
    REQUIRE(whole.has_value());
    REQUIRE(cut.has_value());
    CHECK(whole->winner == cut->winner);
    CHECK(whole->distance_q30 == cut->distance_q30);
    CHECK(whole->entries[whole->winner].digest == cut->entries[cut->winner].digest);
    CHECK(whole->data == cut->data);
    for (std::size_t i = 0; i < 5; ++i) {
      given_up += cut->entries[i].given_up;
      CHECK(!whole->entries[i].given_up);
      if (!cut->entries[i].given_up) {
        CHECK(whole->entries[i].digest == cut->entries[i].digest);
      }
    }
  }
  CHECK(given_up > 20);
}

TEST_CASE("a model that was given up would not have won, and hopeless models are given up") {
  std::size_t given_up = 0;
  for (std::uint64_t seed = 0; seed < 5'000; ++seed) {
    CAPTURE(seed);
    noise::noise_generator random(seed);
    const std::size_t batches = 2 + random.below(12);
    std::vector<std::unique_ptr<scripted_engine>> engines;
    std::vector<competitor> competitors;
    for (std::size_t i = 0; i < 2 + random.below(5); ++i) {
      std::vector<float> losses(batches);
      // Near ties, zeros at the end, and sometimes a value that is not a number.
      const float level = 1 + static_cast<float>(random.below(4)) * 0x1p-13f;
      for (auto& loss : losses) loss = level * random.uniform(0.9f, 1.1f);
      if (random.below(3) == 0) {
        for (auto n = random.below(batches); n < batches; ++n) losses[n] = 0;
      }
      if (random.below(8) == 0) {
        losses[random.below(batches)] = random.below(2) == 0
                                            ? std::numeric_limits<float>::quiet_NaN()
                                            : std::numeric_limits<float>::infinity();
      }
      engines.push_back(std::make_unique<scripted_engine>(losses));
      competitors.push_back(
          {engines.back().get(), small_network, {}, ref_of_number(i), random.below(3)});
    }
    const bytes data{1, 2, 3};
    const auto whole = compete(competitors, {data, 0, {}, false});
    const auto cut = compete(competitors, {data, 0, {}, true});
    REQUIRE(whole.has_value());
    REQUIRE(cut.has_value());
    CHECK(whole->winner == cut->winner);
    for (const auto& entry : cut->entries) given_up += entry.given_up;
  }
  CHECK(given_up > 2'000);
}

TEST_CASE(
    "models without a valid score never win, and there is no winner when all scores are invalid") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  scripted_engine broken({nan, nan});
  scripted_engine also_broken({1, std::numeric_limits<float>::infinity()});
  scripted_engine poor({9, 9});
  std::vector<competitor> competitors{{&broken, small_network, {}, ref_of_number(0), 0},
                                      {&also_broken, small_network, {}, ref_of_number(1), 1}};
  const bytes data{1};
  const float point[] = {1, 0};
  for (const bool winner_only : {false, true}) {
    const auto none = compete(competitors, {data, 0, point, winner_only});
    REQUIRE(none.has_value());
    CHECK(none->winner == no_winner);
    CHECK(none->distance_q30 == 2u << 30);
  }
  competitors.push_back({&poor, small_network, {}, ref_of_number(2), 2});
  CHECK(compete(competitors, {data, 0, point, true})->winner == 2);
}
