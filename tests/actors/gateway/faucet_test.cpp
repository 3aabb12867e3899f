// Who gets a gift of the faucet, and that what it remembers is bounded.
#include "actors/gateway/faucet.hpp"

#include <doctest/doctest.h>

#include "messages/codec/codec.hpp"
#include "messages/crypto/random.hpp"

using namespace soma;
using gateway::faucet;
using gateway::faucet_refusal;

namespace {

constexpr std::uint64_t day = 24 * 3'600'000;

gateway::faucet_options some_options() {
  crypto::seeded_random random(5);
  return {crypto::key_pair::generate(random), shannons{7}, day, 3, 8};
}

address person(std::uint8_t number) {
  return address{{number}};
}

}  // namespace

TEST_CASE("an address gets one gift a day, and a gift that failed does not count") {
  faucet one(some_options());
  CHECK(one.take(person(1), "a", 0));
  CHECK(one.take(person(1), "b", day - 1).error() == faucet_refusal::address_had);
  CHECK(one.take(person(1), "b", day));
  one.give_back(person(1), "b");
  CHECK(one.take(person(1), "b", day));
}

TEST_CASE("a host gets so many gifts a day, whatever addresses it names") {
  faucet one(some_options());
  for (std::uint8_t i = 0; i < 3; ++i) CHECK(one.take(person(i), "a", i));
  CHECK(one.take(person(4), "a", 10).error() == faucet_refusal::host_had);
  CHECK(one.take(person(4), "b", 10));
  one.give_back(person(1), "a");
  CHECK(one.take(person(5), "a", 11));
  CHECK(one.take(person(6), "a", day - 1).error() == faucet_refusal::host_had);
  CHECK(one.take(person(6), "a", day));
}

TEST_CASE("when as many are remembered as may be, nobody gets anything until the first are old") {
  faucet one(some_options());
  for (std::uint8_t i = 0; i < 8; ++i) CHECK(one.take(person(i), std::string(1, 'a' + i), i));
  CHECK(one.take(person(20), "a", 100).error() == faucet_refusal::full);
  CHECK(one.take(person(3), "d", 100).error() == faucet_refusal::address_had);
  CHECK(one.take(person(20), "a", day));
}

TEST_CASE("each gift is a transfer with a nonce of its own") {
  faucet one(some_options());
  CHECK(!one.knows_nonce());
  one.learn_nonce(4);
  for (std::uint64_t nonce = 4; nonce < 7; ++nonce) {
    const auto made = one.sign(chain_id{{9}}, person(1), epoch_number{3});
    CHECK(made.content.nonce == nonce);
    CHECK(made.content.expiry == epoch_number{3});
    const auto* gift = std::get_if<tx::transfer>(&made.content.kind);
    REQUIRE(gift != nullptr);
    CHECK(gift->to == person(1));
    CHECK(gift->amount == shannons{7});
  }
  one.forget_nonce();
  CHECK(!one.knows_nonce());
  for (const auto reason :
       {faucet_refusal::address_had, faucet_refusal::host_had, faucet_refusal::full}) {
    CHECK(gateway::to_text(reason) != "refused");
  }
}
