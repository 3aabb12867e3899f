// Transactions are built and signed in the wallet alone.
#include <doctest/doctest.h>

#include "actors/wallet/wallet.hpp"
#include "messages/codec/codec.hpp"

using namespace soma;
using namespace soma::wallet;

namespace {

crypto::key_pair key_of(std::uint64_t seed) {
  crypto::seeded_random random(seed);
  return crypto::key_pair::generate(random);
}

const chain_id chain{{7}};

}  // namespace

TEST_CASE("a wallet signs the given transaction for its chain, with one nonce after the other") {
  const auto key = key_of(1);
  soma::wallet::wallet account(key, chain);
  CHECK_FALSE(account.knows_nonce());
  account.set_next_nonce(41);
  for (std::uint64_t nonce = 41; nonce < 44; ++nonce) {
    const tx::transfer kind{crypto::address_of(key_of(2).public_half()), {nonce}};
    const auto made = account.sign(kind, epoch_number{3});
    CHECK(made.content == transaction{chain, key.public_half(), nonce, epoch_number{3}, kind});
    CHECK(made.id == signing::id_of(made.sent));
    const auto read = signing::verify(made.sent);
    REQUIRE(read.has_value());
    CHECK(*read == made.content);
  }
  account.forget_nonce();
  CHECK_FALSE(account.knows_nonce());
}

TEST_CASE("an offer carries the very bytes that were signed") {
  soma::wallet::wallet account(key_of(1), chain, 0);
  const auto made = account.sign(tx::leave_committee{}, epoch_number{1});
  const auto request = offer(made.sent);
  CHECK(std::ranges::equal(view_of(request.root().getBody()), made.sent.body));
  CHECK(std::ranges::equal(view_of(request.root().getSignature()), made.sent.by_sender));
}
