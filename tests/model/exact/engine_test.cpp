#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "tests/model/exact/exact_cases.hpp"
#include "tests/model/exact/plain_scorer.hpp"
#include "tests/model/exact/random_inputs.hpp"

using namespace soma;
using namespace soma::test;
using simd::isa;

namespace {

std::unique_ptr<scoring::scoring_engine> engine_of(const weights::model_weights& weights, isa set,
                                                   unsigned threads = 1) {
  return scoring::make_exact_engine(weights, std::make_shared<exact::workspace>(threads, set));
}

bool same_bits(const exact::score& a, const exact::score& b) {
  const auto bits = [](float x) { return std::bit_cast<std::uint32_t>(x); };
  if (bits(a.loss) != bits(b.loss) || bits(a.cross_entropy) != bits(b.cross_entropy) ||
      bits(a.sigreg) != bits(b.sigreg) || bits(a.bits_per_byte) != bits(b.bits_per_byte) ||
      a.embedding.size() != b.embedding.size() || a.valid != b.valid) {
    return false;
  }
  for (std::size_t i = 0; i < a.embedding.size(); ++i) {
    if (bits(a.embedding[i]) != bits(b.embedding[i])) return false;
  }
  return true;
}

}  // namespace

// plain_scorer.cpp is the definition: arithmetic §§2-5 in the plainest form.
TEST_CASE("the engine computes the definition, to the bit, for any shape") {
  for (std::uint64_t seed = 0; seed < 25; ++seed) {
    CAPTURE(seed);
    noise::noise_generator random(seed);
    const auto arch = random_architecture(random);
    const auto data = random_bytes(seed, 1 + random.below(3 * arch.max_seq));
    const auto batch = 1 + static_cast<std::uint32_t>(random.below(3));
    const auto weights =
        seed % 2 == 0 ? far_weights(arch, seed) : weights::init_weights(arch, seed);
    const auto wanted = plain_score(weights, data, seed, batch);
    for (const auto set : simd::available_isas()) {
      CAPTURE(simd::to_text(set));
      const auto score = engine_of(weights, set)->run(data, seed, {batch, {}});
      REQUIRE(score.has_value());
      CHECK(same_bits(*score, wanted));
    }
  }
}

TEST_CASE("a feed-forward part of many chunks and a deep product are the definition as well") {
  // The ffn has more than one chunk, the depth more than one step, and neither is a whole multiple.
  const model_architecture arch{1, 522, 1, 1'001, 5};
  const auto weights = far_weights(arch, 1);
  const auto data = random_bytes(1, 9);
  const auto wanted = plain_score(weights, data, 1, 16);
  for (const auto set : simd::available_isas()) {
    CAPTURE(simd::to_text(set));
    CHECK(same_bits(*engine_of(weights, set)->run(data, 1), wanted));
  }
}

// Arithmetic §1.4.
TEST_CASE("several pieces of data in one run get the scores that each gets alone") {
  const auto weights = far_weights({2, 24, 2, 40, 20}, 5);
  const auto space = std::make_shared<exact::workspace>(2);
  std::vector<bytes> data;
  for (const std::size_t size : {1, 19, 20, 21, 333, 700}) data.push_back(random_bytes(size, size));
  std::vector<exact::score_item> items;
  for (const auto& one : data) items.push_back({one, one.size() * 3});
  for (const bool keep_packed : {false, true}) {
    for (const std::uint64_t sequences : {1, 3, 100}) {
      CAPTURE(keep_packed);
      CAPTURE(sequences);
      exact::engine_options options{exact::no_budget, keep_packed};
      if (!keep_packed) {
        options.budget_bytes =
            exact::plan_memory({weights.architecture(), sequences, 16, 2, simd::chosen_isa()})
                ->total_bytes();
      }
      const auto engine = scoring::make_exact_engine(weights, space, options);
      const auto together = engine->run_all(items);
      REQUIRE(together.has_value());
      for (std::size_t i = 0; i < items.size(); ++i) {
        CAPTURE(i);
        const auto alone = engine->run(items[i].data, items[i].seed);
        REQUIRE(alone.has_value());
        REQUIRE((*together)[i].has_value());
        CHECK(same_bits(*(*together)[i], *alone));
      }
    }
  }
}

TEST_CASE("an item that is given up does not change the scores of the others") {
  const auto weights = far_weights({1, 16, 1, 16, 8}, 5);
  const auto engine = engine_of(weights, simd::chosen_isa(), 2);
  const bytes long_data = random_bytes(1, 8 * 40);
  const bytes short_data = random_bytes(2, 8 * 40 + 3);
  const std::vector<exact::score_item> items{{long_data, 1}, {short_data, 2}};
  std::vector<std::pair<std::size_t, std::uint64_t>> asked;
  scoring::score_options options;
  options.batch = 16;
  options.keep_going = [&](const exact::partial_score& now) {
    asked.emplace_back(now.item, now.batches_done);
    CHECK(now.batches == 3);
    return now.item != 0 || now.batches_done < 2;
  };
  const auto scores = engine->run_all(items, options);
  REQUIRE(scores.has_value());
  CHECK(!(*scores)[0].has_value());
  REQUIRE((*scores)[1].has_value());
  CHECK(same_bits(*(*scores)[1], *engine->run(short_data, 2)));
  CHECK(asked ==
        std::vector<std::pair<std::size_t, std::uint64_t>>{{0, 1}, {0, 2}, {1, 1}, {1, 2}});
  options.keep_going = [](const auto&) { return false; };
  CHECK(engine->run(long_data, 1, options).error() == scoring::score_refusal::given_up);
}

// Arithmetic §5.13.
TEST_CASE("numbers that leave binary32 make a score invalid, the same under every set") {
  const model_architecture arch{2, 16, 2, 24, 16};
  auto spoiled = [&](float factor, std::uint64_t seed) {
    std::vector<float> values;
    for (const auto& spec : weights::tensor_table(arch)) {
      const auto drawn = noise::normals(++seed, spec.elements(), 0, factor);
      values.insert(values.end(), drawn.begin(), drawn.end());
    }
    return weights::make_weights(arch, std::move(values));
  };
  const auto data = random_bytes(1, 40);
  int invalid = 0;
  for (const float factor : {1e-38f, 1e-20f, 1e3f, 1e9f, 1e19f, 1e25f, 3e37f}) {
    CAPTURE(factor);
    const auto weights = spoiled(factor, 9);
    std::string first;
    for (const auto set : simd::available_isas()) {
      CAPTURE(simd::to_text(set));
      const auto score = engine_of(weights, set)->run(data, 3);
      REQUIRE(score.has_value());
      const auto digest = scoring::score_digest(arch, weights.hash(), {}, 3, *score).text();
      if (first.empty()) {
        first = digest;
        invalid += !score->valid;
      }
      CHECK(digest == first);
    }
  }
  CHECK(invalid >= 1);
  CHECK(invalid <= 6);
}

TEST_CASE("data that cannot be scored is refused") {
  const auto weights = weights::init_weights({1, 8, 1, 8, 8}, 1);
  const auto engine = engine_of(weights, simd::chosen_isa());
  CHECK(engine->run({}, 0).error() == scoring::score_refusal::empty_data);
  const exact::score_item items[] = {{random_bytes(1, 4), 0}, {{}, 0}};
  CHECK(engine->run_all(items).error() == scoring::score_refusal::empty_data);
  const auto starved =
      scoring::make_exact_engine(weights, std::make_shared<exact::workspace>(1), {1'000, false});
  CHECK(starved->run(random_bytes(1, 4), 0).error() == scoring::score_refusal::out_of_memory);
}

#if defined(__x86_64__)
// Arithmetic §1.1.
TEST_CASE("a thread that flushes subnormals scores the same, and gets its mode back") {
  // The weights are so small that subnormal numbers occur everywhere.
  const model_architecture arch{1, 16, 2, 24, 16};
  std::vector<float> values = noise::normals(3, weights::parameter_count(arch), 0, 1e-20f);
  const auto weights = weights::make_weights(arch, std::move(values));
  const auto data = random_bytes(1, 40);
  const auto engine = engine_of(weights, simd::chosen_isa(), 2);
  const auto wanted = engine->run(data, 3);
  const auto before = _mm_getcsr();
  for (const unsigned mode : {0x8040u, 0x2000u, 0x4000u, 0x6000u, 0xe040u}) {
    CAPTURE(mode);
    _mm_setcsr(before | mode);
    const auto score = engine->run(data, 3);
    const auto after = _mm_getcsr() & ~0x3fu;  // the flags of exceptions may differ
    _mm_setcsr(before);
    CHECK(after == ((before | mode) & ~0x3fu));
    CHECK(same_bits(*score, *wanted));
  }
}
#endif
