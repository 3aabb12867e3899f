#include "model/reference/torch_engine.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <numeric>
#include <thread>

#include "model/noise/noise.hpp"
#include "model/tokens/tokens.hpp"
#include "model/weights/architectures.hpp"
#include "tests/model/reference/recorded_network.hpp"

using namespace soma;
using namespace soma::exact;
using namespace soma::noise;
using namespace soma::reference;
using namespace soma::scoring;
using namespace soma::weights;
using soma::test::recorded_network;

namespace {

bytes counting(std::size_t size) {
  bytes data(size);
  std::iota(data.begin(), data.end(), std::uint8_t{0});
  return data;
}

bytes random_bytes(std::uint64_t seed, std::size_t size) {
  noise_generator noise(seed);
  bytes data(size);
  for (auto& byte : data) byte = static_cast<std::uint8_t>(noise.below(256));
  return data;
}

score_options batches_of(std::uint32_t sequences) {
  score_options options;
  options.batch = sequences;
  return options;
}

void check_close(const std::vector<float>& got, const std::vector<double>& wanted) {
  REQUIRE(got.size() == wanted.size());
  for (std::size_t i = 0; i < got.size(); ++i)
    CHECK(got[i] == doctest::Approx(wanted[i]).epsilon(1e-5));
}

const model_weights& tiny() {
  static const model_weights model = init_weights(*parse_architecture("2,32,2,48,24"), 11);
  return model;
}

}  // namespace

TEST_CASE("the recorded network scores the recorded data as recorded") {
  const auto engine = make_torch_engine(recorded_network(42));
  CHECK(engine->name() == "torch");
  const auto sixteen = engine->run(counting(16), 42, batches_of(2));
  REQUIRE(sixteen.has_value());
  CHECK(sixteen->valid);
  CHECK(sixteen->cross_entropy == doctest::Approx(12.4364175).epsilon(1e-5));
  CHECK(sixteen->sigreg == doctest::Approx(68.3576262).epsilon(1e-5));
  CHECK(sixteen->loss == doctest::Approx(13.8035700).epsilon(1e-5));
  check_close(sixteen->embedding, {1.9478446, 0.8397136, 1.5154470, 2.3812342});
  const auto eight = engine->run(counting(8), 42, batches_of(2));
  CHECK(eight->cross_entropy == doctest::Approx(12.8998758).epsilon(1e-5));
  CHECK(eight->sigreg == doctest::Approx(65.9907804).epsilon(1e-5));
  CHECK(eight->loss == doctest::Approx(14.2196915).epsilon(1e-5));
  const auto four = engine->run(counting(4), 42, batches_of(2));
  CHECK(four->cross_entropy == doctest::Approx(6.8302926).epsilon(1e-5));
  CHECK(four->sigreg == doctest::Approx(61.9779125).epsilon(1e-5));
  CHECK(four->loss == doctest::Approx(8.0698509).epsilon(1e-5));
}

TEST_CASE("batches weigh the same whatever their size, and batch b has the noise of seed + b") {
  const auto engine = make_torch_engine(recorded_network(42));
  const auto two = engine->run(counting(24), 42, batches_of(2));
  CHECK(two->loss == doctest::Approx(12.2599369).epsilon(1e-5));
  check_close(two->embedding, {1.8878882, 0.8697755, 1.5299240, 2.3886810});
  CHECK(2 * two->loss - engine->run(counting(16), 42, batches_of(2))->loss ==
        doctest::Approx(10.7163038).epsilon(1e-5));
}

TEST_CASE("no data and too much data are refused by name") {
  const auto engine = make_torch_engine(tiny());
  CHECK(engine->run({}, 0).error() == score_refusal::empty_data);
  const std::uint8_t byte = 0;
  CHECK(engine->run(byte_view(&byte, max_scored_bytes + 1), 0).error() ==
        score_refusal::data_too_large);
  CHECK(to_text(score_refusal::empty_data) != to_text(score_refusal::data_too_large));
}

TEST_CASE("the same question has the same bits twice, from other engines and from other threads") {
  const auto data = random_bytes(3, 1000);
  const auto reference = *make_torch_engine(tiny())->run(data, 5);
  const auto digest_of = [&](const score& s) {
    return score_digest(tiny().architecture(), tiny().hash(), data_hash{}, 5, s);
  };
  std::vector<hash256> digests(4);
  std::vector<std::thread> threads;
  for (auto& digest : digests) {
    threads.emplace_back([&] {
      const auto engine = make_torch_engine(tiny());
      (void)engine->run(random_bytes(4, 333), 1);  // earlier runs must leave no trace
      digest = digest_of(*engine->run(data, 5));
    });
  }
  for (auto& thread : threads) thread.join();
  for (const auto& digest : digests) CHECK(digest == digest_of(reference));
  CHECK(digest_of(*make_torch_engine(tiny())->run(data, 6)) != digest_of(reference));
}

TEST_CASE("the grouping of sequences does not matter: one batch is the mean of its sequences") {
  // Six full sequences of 24 tokens, alone and together. Only cross-entropy is compared, because
  // SIGReg's noise belongs to the batch.
  const auto data = random_bytes(8, 24 * 6);
  const auto engine = make_torch_engine(tiny());
  const auto together = engine->run(data, 0, batches_of(6));
  const auto alone = engine->run(data, 0, batches_of(1));
  CHECK(together->cross_entropy == doctest::Approx(alone->cross_entropy).epsilon(1e-5));
  CHECK(together->bits_per_byte == doctest::Approx(alone->bits_per_byte).epsilon(1e-6));
  for (std::size_t i = 0; i < together->embedding.size(); ++i) {
    CHECK(std::abs(together->embedding[i] - alone->embedding[i]) < 1e-5);
  }
}

TEST_CASE("bits per byte count predicted bytes alone; cross-entropy is over all positions") {
  const auto engine = make_torch_engine(tiny());
  // One byte predicts only the end.
  CHECK(engine->run(random_bytes(1, 1), 0)->bits_per_byte == 0.0f);
  const auto full = engine->run(random_bytes(2, 24), 0);
  CHECK(full->bits_per_byte * 23 * std::log(2.0) ==
        doctest::Approx(full->cross_entropy * 24).epsilon(1e-5));
}

TEST_CASE("probabilities of the next byte are those that the score is made of") {
  const auto engine = make_torch_engine(tiny());
  const auto data = random_bytes(9, 24);
  const auto log_p = engine->next_byte_log_probs(data);
  REQUIRE(log_p.size() == 24 * 256);
  for (std::size_t i = 0; i < 24; ++i) {
    double sum = 0;
    for (std::size_t b = 0; b < 256; ++b) sum += std::exp(log_p[i * 256 + b]);
    CHECK(sum == doctest::Approx(1).epsilon(1e-5));
  }
  // A longer context does not change earlier predictions, because attention looks back only.
  const auto shorter = engine->next_byte_log_probs(byte_view(data).first(10));
  for (std::size_t i = 0; i < shorter.size(); ++i) CHECK(std::abs(shorter[i] - log_p[i]) < 1e-5);
  // Rotation is relative, so a context far into a file gives nearly the same prediction.
  const auto far = engine->next_byte_log_probs(data, 1'000'000);
  for (std::size_t i = 0; i < far.size(); ++i) CHECK(std::abs(far[i] - log_p[i]) < 1e-2);
}

TEST_CASE("weights that overflow make a score that is not valid, never a crash") {
  const auto arch = tiny().architecture();
  std::vector<float> values(parameter_count(arch), 3e38f);
  const auto result = make_torch_engine(make_weights(arch, values))->run(random_bytes(1, 100), 0);
  REQUIRE(result.has_value());
  CHECK(!result->valid);
}
