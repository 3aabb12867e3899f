// The digest of a score, and the lower bound on the loss at which scoring stops early.
#include "model/exact/score.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "messages/crypto/hash.hpp"
#include "model/scoring/exact_engine.hpp"
#include "tests/model/exact/random_inputs.hpp"

using namespace soma;
using namespace soma::test;
using exact::score;
using scoring::score_digest;

TEST_CASE("the bound on a final loss holds for every end that an item can take") {
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
    CAPTURE(seed);
    noise::noise_generator random(seed);
    exact::partial_score partial;
    partial.batches = 2 + random.below(200);
    const auto done = 1 + random.below(partial.batches - 1);
    const float scale = std::ldexp(1.0f, static_cast<int>(random.below(40)) - 20);
    float mean = 0;
    for (std::uint64_t n = 1; n <= partial.batches; ++n) {
      // The lowest total loss has zeros from here on. Other losses must end above the bound, too.
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
    // The bound is also useful: with zeros alone the total loss comes close to it.
    if (seed % 2 == 1 && partial.loss > 0) CHECK(least >= 0.999f * mean);
  }
  CHECK(std::isnan(exact::least_final_loss({0, 1, 2, std::numeric_limits<float>::quiet_NaN()})));
  CHECK(std::isinf(exact::least_final_loss({0, 1, 2, std::numeric_limits<float>::infinity()})));
}

// Arithmetic §7.1.
TEST_CASE("the digest is that of the network's hash, and every part of it counts") {
  const model_architecture arch{1, 8, 1, 8, 8};
  const auto weights = weights::init_weights(arch, 1);
  const data_hash data{{1, 2, 3}};
  const auto engine = scoring::make_exact_engine(weights, std::make_shared<exact::workspace>(1));
  auto found = *engine->run(random_bytes(1, 10), 5);
  crypto::tagged_hash hash("soma.score");
  for (const auto n : {arch.layers, arch.dim, arch.heads, arch.ffn, arch.max_seq}) hash.add_u32(n);
  hash.add(weights.hash()).add(data).add_u64(5);
  hash.add_u32(std::bit_cast<std::uint32_t>(found.loss));
  for (const float e : found.embedding) hash.add_u32(std::bit_cast<std::uint32_t>(e));
  const auto digest = score_digest(arch, weights.hash(), data, 5, found);
  CHECK(digest == hash.finish());
  CHECK(score_digest(arch, weights.hash(), data, 6, found) != digest);
  CHECK(score_digest(arch, {}, data, 5, found) != digest);
  CHECK(score_digest(arch, weights.hash(), {}, 5, found) != digest);
  CHECK(score_digest({1, 8, 2, 8, 8}, weights.hash(), data, 5, found) != digest);
  found.embedding[3] = std::nextafter(found.embedding[3], 9.0f);
  CHECK(score_digest(arch, weights.hash(), data, 5, found) != digest);
}

// Arithmetic §7.1 and §7.2.
TEST_CASE("the digest of a score covers every part of it and nothing else") {
  const model_architecture arch{2, 4, 2, 8, 8};
  const score base{1.5f, 1.0f, 25.0f, 8.0f, {1, 2, 3, 4}, true};
  const auto of = [&](const score& s, std::uint64_t seed = 7,
                      model_architecture a = {2, 4, 2, 8, 8}) {
    return score_digest(a, weights_hash{}, data_hash{}, seed, s);
  };
  const auto digest = of(base);
  crypto::tagged_hash by_hand("soma.score");
  for (const std::uint32_t n : {2u, 4u, 2u, 8u, 8u}) by_hand.add_u32(n);
  by_hand.add(weights_hash{}).add(data_hash{}).add_u64(7).add_u32(0x3fc00000);
  for (const std::uint32_t n : {0x3f800000u, 0x40000000u, 0x40400000u, 0x40800000u})
    by_hand.add_u32(n);
  CHECK(by_hand.finish() == digest);
  CHECK(of(base, 8) != digest);
  CHECK(of(base, 7, {2, 4, 1, 8, 8}) != digest);
  auto other = base;
  other.embedding[3] = -4;
  CHECK(of(other) != digest);
  other = base;
  other.loss = std::nextafter(1.5f, 2.0f);
  CHECK(of(other) != digest);
  CHECK(score_digest(arch, weights_hash{{1}}, data_hash{}, 7, base) != digest);
  CHECK(score_digest(arch, weights_hash{}, data_hash{{1}}, 7, base) != digest);
  other = base;
  other.valid = false;
  const auto invalid = of(other);
  CHECK(invalid != digest);
  other.loss = NAN;
  other.embedding[0] = INFINITY;
  CHECK(of(other) == invalid);
}
