#include "messages/signing/hash_onion.hpp"

#include <doctest/doctest.h>

#include "messages/signing/signing.hpp"

using namespace soma;
using soma::signing::hash_onion;

namespace {

crypto::key_pair key_of(std::uint8_t seed) {
  std::array<std::uint8_t, 32> bytes{};
  bytes[0] = seed;
  return crypto::key_pair::from_seed(bytes);
}
const chain_id chain{{7}};

}  // namespace

// Protocol §7.1.1 and §7.1.2.
TEST_CASE("each peel lies inside of the layer before, down to the core and not further") {
  hash_onion onion(key_of(1), chain);
  auto layer = onion.outermost(5);
  CHECK(onion.left(5, layer) == hash_onion::layers);
  std::size_t peeled = 0;
  bool inside = true;
  while (const auto next = onion.peel(5, layer)) {
    inside = inside && signing::layer_around(*next) == layer;
    layer = *next;
    ++peeled;
  }
  CHECK(inside);
  CHECK(peeled == hash_onion::layers);
  CHECK(layer == signing::onion_core(key_of(1), chain, 5));
  CHECK(onion.left(5, layer) == 0);
}

TEST_CASE("a layer is found again without any memory, and again after another fork peeled it") {
  hash_onion first(key_of(1), chain);
  auto layer = first.outermost(0);
  std::vector<hash256> layers{layer};
  for (int i = 0; i < 3'000; ++i) layers.push_back(layer = *first.peel(0, layer));
  hash_onion again(key_of(1), chain);
  CHECK(again.peel(0, layers[2'500]) == layers[2'501]);
  CHECK(again.left(0, layers[2'500]) == hash_onion::layers - 2'500);
  for (const std::size_t at : {2'999u, 1'023u, 1'024u, 1'025u, 0u, 2'048u, 2'047u}) {
    CHECK(again.peel(0, layers[at]) == layers[at + 1]);
  }
}

TEST_CASE("onions of other numbers, keys and chains share no layer") {
  hash_onion onion(key_of(1), chain);
  const auto layer = onion.outermost(0);
  CHECK(!onion.peel(1, layer));
  CHECK(onion.left(1, layer) == 0);
  CHECK(onion.peel(0, layer));  // two onions are kept at once
  CHECK(!hash_onion(key_of(2), chain).peel(0, layer));
  CHECK(!hash_onion(key_of(1), chain_id{{8}}).peel(0, layer));
  CHECK(!onion.peel(0, hash256{{9}}));
}
