// A valid transaction is verified once, and an invalid one is never accepted as valid.
#include "actors/execution/verified_transactions.hpp"

#include <doctest/doctest.h>

#include "messages/signing/signing.hpp"

namespace soma::test {
namespace {

crypto::key_pair key_of(std::uint8_t number) {
  std::array<std::uint8_t, 32> seed{};
  seed[0] = number;
  return crypto::key_pair::from_seed(seed);
}

signed_transaction transfer(const crypto::key_pair& from, std::uint64_t nonce) {
  transaction made;
  made.sender = from.public_half();
  made.nonce = nonce;
  made.kind = tx::transfer{crypto::address_of(from.public_half()), {1}};
  return signing::sign_transaction(from, made);
}

void check_same(const rules::block_transaction& a, const rules::block_transaction& b) {
  CHECK(a.id == b.id);
  CHECK(a.body == b.body);
  CHECK(a.size_bytes == b.size_bytes);
  CHECK(a.known == b.known);
}

}  // namespace

TEST_CASE("a transaction is verified once and reads the same every time") {
  execution::verified_transactions known;
  const auto sent = transfer(key_of(1), 7);
  for (int i = 0; i < 3; ++i) check_same(known.read(sent), rules::read_transaction(sent));
  CHECK(known.verified() == 1);
}

// By security §8.2 a body is known only together with its signature.
TEST_CASE("a known body under any other signature is refused, before and after") {
  execution::verified_transactions known;
  const auto sent = transfer(key_of(1), 7);
  auto forged = sent;
  for (std::size_t bit = 0; bit < 8 * forged.by_sender.size(); bit += 5) {
    CAPTURE(bit);
    forged.by_sender = sent.by_sender;
    forged.by_sender[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    CHECK(known.read(forged).known == rules::refusal::bad_signature);
    CHECK(known.read(forged).known == rules::refusal::bad_signature);
    CHECK(!known.read(sent).known);
  }
  auto other = sent;
  other.body.back() ^= 1;
  CHECK(known.read(other).known.has_value());
}

// By security §8.2 the number of remembered transactions is bounded.
TEST_CASE("only the latest valid transactions are remembered") {
  constexpr std::size_t most = 10;
  execution::verified_transactions known(most);
  const auto key = key_of(2);
  std::vector<signed_transaction> all;
  for (std::uint64_t i = 0; i < 3 * most; ++i) all.push_back(transfer(key, i));
  auto forged = all.front();
  forged.by_sender[0] ^= 1;
  for (const auto& one : all) CHECK(!known.read(one).known);
  for (int i = 0; i < 50; ++i) (void)known.read(forged);
  const auto before = known.verified();
  CHECK(before == all.size() + 50);
  for (std::size_t i = 2 * most; i < all.size(); ++i) CHECK(!known.read(all[i]).known);
  CHECK(known.verified() == before);
  CHECK(!known.read(all.front()).known);
  CHECK(known.verified() == before + 1);
}

}  // namespace soma::test
