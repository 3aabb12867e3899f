#include <doctest/doctest.h>

#include <atomic>
#include <bit>
#include <cmath>
#include <limits>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "messages/crypto/hash.hpp"
#include "model/exact/sha256.hpp"
#include "tests/model/exact_cases.hpp"
#include "tests/model/plain_scorer.hpp"

using namespace soma;
using namespace soma::test;
using exact::isa;

namespace {

bytes random_bytes(std::uint64_t seed, std::size_t size) {
  model::noise_generator random(seed);
  bytes data(size);
  for (auto& byte : data) byte = static_cast<std::uint8_t>(random.below(256));
  return data;
}

std::unique_ptr<model::scoring_engine> engine_of(const model::weights& weights, isa set,
                                                 unsigned threads = 1) {
  return model::make_exact_engine(weights, std::make_shared<exact::workspace>(threads, set));
}

bool same_bits(const model::score& a, const model::score& b) {
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

model_architecture random_architecture(model::noise_generator& random) {
  model_architecture arch;
  arch.layers = 1 + static_cast<std::uint32_t>(random.below(3));
  arch.heads = 1 + static_cast<std::uint32_t>(random.below(3));
  arch.dim = arch.heads * 2 * (1 + static_cast<std::uint32_t>(random.below(10)));
  arch.ffn = 1 + static_cast<std::uint32_t>(random.below(60));
  arch.max_seq = 2 + static_cast<std::uint32_t>(random.below(70));
  return arch;
}

}  // namespace

TEST_CASE("the engine computes the definition, to the bit, for any shape") {
  for (std::uint64_t seed = 0; seed < 25; ++seed) {
    CAPTURE(seed);
    model::noise_generator random(seed);
    const auto arch = random_architecture(random);
    const auto data = random_bytes(seed, 1 + random.below(3 * arch.max_seq));
    const auto batch = 1 + static_cast<std::uint32_t>(random.below(3));
    const auto weights = seed % 2 == 0 ? far_weights(arch, seed) : model::init_weights(arch, seed);
    const auto wanted = plain_score(weights, data, seed, batch);
    for (const auto set : exact::available_isas()) {
      CAPTURE(exact::to_text(set));
      const auto score = engine_of(weights, set)->run(data, seed, {batch, {}});
      REQUIRE(score.has_value());
      CHECK(same_bits(*score, wanted));
    }
  }
}

TEST_CASE("a feed-forward part of many chunks and a deep product are the definition as well") {
  // More than a chunk of ffn, more than a step of the depth, neither a multiple of anything.
  const model_architecture arch{1, 522, 1, 1'001, 5};
  const auto weights = far_weights(arch, 1);
  const auto data = random_bytes(1, 9);
  const auto wanted = plain_score(weights, data, 1, 16);
  for (const auto set : exact::available_isas()) {
    CAPTURE(exact::to_text(set));
    CHECK(same_bits(*engine_of(weights, set)->run(data, 1), wanted));
  }
}

TEST_CASE("several pieces of data in one run get the scores that each gets alone") {
  const auto weights = far_weights({2, 24, 2, 40, 20}, 5);
  const auto space = std::make_shared<exact::workspace>(2);
  std::vector<bytes> data;
  for (const std::size_t size : {1, 19, 20, 21, 333, 700}) data.push_back(random_bytes(size, size));
  std::vector<exact::score_item> items;
  for (const auto& one : data) items.push_back({one, one.size() * 3});
  for (const bool again : {false, true}) {
    for (const std::uint64_t sequences : {1, 3, 100}) {
      CAPTURE(again);
      CAPTURE(sequences);
      exact::engine_options options{exact::no_budget, again};
      if (!again) {
        options.budget_bytes =
            exact::plan_memory({weights.architecture(), sequences, 16, 2, exact::chosen_isa()})
                ->total_bytes();
      }
      const auto engine = model::make_exact_engine(weights, space, options);
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

TEST_CASE("an item that is given up changes nothing for the others") {
  const auto weights = far_weights({1, 16, 1, 16, 8}, 5);
  const auto engine = engine_of(weights, exact::chosen_isa(), 2);
  const bytes long_data = random_bytes(1, 8 * 40);
  const bytes short_data = random_bytes(2, 8 * 40 + 3);
  const std::vector<exact::score_item> items{{long_data, 1}, {short_data, 2}};
  std::vector<std::pair<std::size_t, std::uint64_t>> asked;
  model::score_options options;
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
  CHECK(engine->run(long_data, 1, options).error() == model::score_refusal::given_up);
}

TEST_CASE("the bound on a final loss holds for every end that an item can take") {
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
    CAPTURE(seed);
    model::noise_generator random(seed);
    exact::partial_score partial;
    partial.batches = 2 + random.below(200);
    const auto done = 1 + random.below(partial.batches - 1);
    const float scale = std::ldexp(1.0f, static_cast<int>(random.below(40)) - 20);
    float mean = 0;
    for (std::uint64_t n = 1; n <= partial.batches; ++n) {
      // The worst end is one of zeros; ends of other losses must stay above the bound, too.
      const float loss = n <= done || seed % 2 == 0 ? random.uniform(0, 1) * scale : 0.0f;
      mean += (loss - mean) / static_cast<float>(n);
      if (n == done) {
        partial.loss = mean;
        partial.batches_done = n;
      }
    }
    const float least = exact::least_final_loss(partial);
    CHECK(least >= 0);
    CHECK(least <= mean);
    // And is of use: zeros alone end close to it.
    if (seed % 2 == 1 && partial.loss > 0) CHECK(least >= 0.999f * mean);
  }
  CHECK(std::isnan(exact::least_final_loss({0, 1, 2, std::numeric_limits<float>::quiet_NaN()})));
  CHECK(std::isinf(exact::least_final_loss({0, 1, 2, std::numeric_limits<float>::infinity()})));
}

TEST_CASE("numbers that leave binary32 make a score invalid, the same under every set") {
  const model_architecture arch{2, 16, 2, 24, 16};
  auto spoiled = [&](float factor, std::uint64_t seed) {
    std::vector<float> values;
    for (const auto& spec : model::tensor_table(arch)) {
      const auto drawn = model::normals(++seed, spec.elements(), 0, factor);
      values.insert(values.end(), drawn.begin(), drawn.end());
    }
    return model::make_weights(arch, std::move(values));
  };
  const auto data = random_bytes(1, 40);
  int invalid = 0;
  for (const float factor : {1e-38f, 1e-20f, 1e3f, 1e9f, 1e19f, 1e25f, 3e37f}) {
    CAPTURE(factor);
    const auto weights = spoiled(factor, 9);
    std::string first;
    for (const auto set : exact::available_isas()) {
      CAPTURE(exact::to_text(set));
      const auto score = engine_of(weights, set)->run(data, 3);
      REQUIRE(score.has_value());
      const auto digest = model::score_digest(arch, weights.hash(), {}, 3, *score).text();
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

TEST_CASE("what cannot be scored is refused") {
  const auto weights = model::init_weights({1, 8, 1, 8, 8}, 1);
  const auto engine = engine_of(weights, exact::chosen_isa());
  CHECK(engine->run({}, 0).error() == model::score_refusal::empty_data);
  const exact::score_item items[] = {{random_bytes(1, 4), 0}, {{}, 0}};
  CHECK(engine->run_all(items).error() == model::score_refusal::empty_data);
  const auto starved =
      model::make_exact_engine(weights, std::make_shared<exact::workspace>(1), {1'000, false});
  CHECK(starved->run(random_bytes(1, 4), 0).error() == model::score_refusal::out_of_memory);
}

#if defined(__x86_64__)
TEST_CASE("a thread that flushes subnormals scores the same, and gets its mode back") {
  // Weights so small that subnormals occur everywhere.
  const model_architecture arch{1, 16, 2, 24, 16};
  std::vector<float> values = model::normals(3, model::parameter_count(arch), 0, 1e-20f);
  const auto weights = model::make_weights(arch, std::move(values));
  const auto data = random_bytes(1, 40);
  const auto engine = engine_of(weights, exact::chosen_isa(), 2);
  const auto wanted = engine->run(data, 3);
  const auto before = _mm_getcsr();
  for (const unsigned mode : {0x8040u, 0x2000u, 0x4000u, 0x6000u, 0xe040u}) {
    CAPTURE(mode);
    _mm_setcsr(before | mode);
    const auto score = engine->run(data, 3);
    const auto after = _mm_getcsr() & ~0x3fu;  // flags of exceptions that happened may differ
    _mm_setcsr(before);
    CHECK(after == ((before | mode) & ~0x3fu));
    CHECK(same_bits(*score, *wanted));
  }
}
#endif

TEST_CASE("plans keep within their budget, and the least one exists") {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    CAPTURE(seed);
    model::noise_generator random(seed);
    exact::plan_request request;
    request.architecture = random_architecture(random);
    request.sequences = 1 + random.below(100);
    request.batch = 1 + static_cast<std::uint32_t>(random.below(20));
    request.threads = 1 + static_cast<unsigned>(random.below(8));
    request.again = random.below(2) == 0;
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

TEST_CASE("the digest is that of the network's hash, and every part of it counts") {
  const model_architecture arch{1, 8, 1, 8, 8};
  const auto weights = model::init_weights(arch, 1);
  const data_hash data{{1, 2, 3}};
  auto score = *engine_of(weights, exact::chosen_isa())->run(random_bytes(1, 10), 5);
  crypto::tagged_hash hash("soma.score");
  for (const auto n : {arch.layers, arch.dim, arch.heads, arch.ffn, arch.max_seq}) hash.add_u32(n);
  hash.add(weights.hash()).add(data).add_u64(5);
  hash.add_u32(std::bit_cast<std::uint32_t>(score.loss));
  for (const float e : score.embedding) hash.add_u32(std::bit_cast<std::uint32_t>(e));
  const auto digest = model::score_digest(arch, weights.hash(), data, 5, score);
  CHECK(digest == hash.finish());
  CHECK(model::score_digest(arch, weights.hash(), data, 6, score) != digest);
  CHECK(model::score_digest(arch, {}, data, 5, score) != digest);
  CHECK(model::score_digest(arch, weights.hash(), {}, 5, score) != digest);
  CHECK(model::score_digest({1, 8, 2, 8, 8}, weights.hash(), data, 5, score) != digest);
  score.embedding[3] = std::nextafter(score.embedding[3], 9.0f);
  CHECK(model::score_digest(arch, weights.hash(), data, 5, score) != digest);
}

TEST_CASE("SHA-256 is OpenSSL's, for every length around its blocks") {
  for (std::size_t size = 0; size < 300; ++size) {
    CAPTURE(size);
    const auto data = random_bytes(size, size);
    exact::sha256 hash;
    hash.add(data.data(), size / 3);
    hash.add(data.data() + size / 3, size - size / 3);
    CHECK(hash256{hash.finish()} == crypto::sha256(data));
  }
}

TEST_CASE("every tile is done once, by any number of threads") {
  for (const unsigned threads : {1u, 2u, 3u, 8u}) {
    exact::tile_pool pool(threads);
    for (const std::size_t tiles : {0, 1, 2, 3, 7, 64, 1'000}) {
      for (int round = 0; round < 20; ++round) {
        std::vector<std::atomic<int>> done(tiles);
        std::atomic<bool> bad_worker{false};
        pool.run(tiles, [&](std::size_t tile, unsigned worker) {
          ++done[tile];
          if (worker >= threads) bad_worker = true;
        });
        CHECK(!bad_worker);
        for (const auto& count : done) CHECK(count == 1);
      }
    }
  }
}
