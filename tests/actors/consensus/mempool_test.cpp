#include <doctest/doctest.h>

#include <random>

#include "actors/consensus/mempool.hpp"
#include "messages/signing/signing.hpp"

namespace soma::test {
namespace {

using namespace consensus;

template <class Id>
Id numbered(std::uint64_t number) {
  Id id;
  for (std::size_t i = 0; i < 8; ++i) id.value[i] = static_cast<std::uint8_t>(number >> (8 * i));
  return id;
}

pooled_transaction waiting(std::uint64_t sender, std::uint64_t nonce, std::size_t size = 100,
                           std::uint64_t expiry = 9) {
  pooled_transaction t;
  t.sender = numbered<address>(sender);
  t.nonce = nonce;
  t.expiry = {expiry};
  t.transaction.body.resize(size - 64);
  t.id = numbered<transaction_id>(sender << 32 | nonce << 8 | expiry);
  const auto named = std::min<std::size_t>(8, t.transaction.body.size());
  std::copy_n(t.id.value.begin(), named, t.transaction.body.begin());
  return t;
}

/// The ids of these transactions, read from their bodies, which begin with the id.
std::vector<transaction_id> ids(const std::vector<signed_transaction>& list) {
  std::vector<transaction_id> out;
  for (const auto& t : list) {
    std::uint64_t packed = 0;
    for (std::size_t i = 8; i-- > 0;) packed = packed << 8 | t.body[i];
    out.push_back(numbered<transaction_id>(packed));
  }
  return out;
}

using nonce_list = std::vector<std::pair<address, std::uint64_t>>;
nonce_list next_of(std::uint64_t sender, std::uint64_t nonce) {
  return {{numbered<address>(sender), nonce}};
}

TEST_CASE("each refusal of the pool has its name") {
  mempool pool({.transactions = 4, .bytes = 1'000, .per_account = 2, .nonce_window = 8});
  const auto refusal = [&](pooled_transaction t, std::uint64_t next, std::uint64_t epoch = 0) {
    const auto added = pool.add(std::move(t), next, {epoch});
    REQUIRE(!added.has_value());
    return added.error();
  };
  REQUIRE(pool.add(waiting(1, 5), 5, {0}).has_value());
  CHECK(refusal(waiting(1, 5), 5) == pool_refusal::duplicate);
  CHECK(refusal(waiting(1, 5, 100, 8), 5) == pool_refusal::nonce_taken);
  CHECK(refusal(waiting(1, 4), 5) == pool_refusal::nonce_too_low);
  CHECK(refusal(waiting(1, 13), 5) == pool_refusal::nonce_too_far);
  CHECK(refusal(waiting(1, UINT64_MAX), 0) == pool_refusal::nonce_too_far);
  CHECK(refusal(waiting(2, 0, 100, 3), 0, 4) == pool_refusal::expired);
  CHECK(refusal(waiting(2, 0, max_transaction_bytes + 1), 0) == pool_refusal::too_large);
  REQUIRE(pool.add(waiting(1, 7), 5, {0}).has_value());
  CHECK(refusal(waiting(1, 6), 5) == pool_refusal::account_full);
  CHECK(refusal(waiting(2, 0, 801), 0) == pool_refusal::pool_full);
  REQUIRE(pool.add(waiting(2, 0), 0, {0}).has_value());
  REQUIRE(pool.add(waiting(3, 0), 0, {0}).has_value());
  CHECK(refusal(waiting(4, 0), 0) == pool_refusal::pool_full);
  CHECK(pool.size() == 4);
  CHECK(pool.bytes() == 400);
}

TEST_CASE(
    "a payload goes by arrival, an account's part by nonce without gaps, within both limits") {
  mempool pool;
  REQUIRE(pool.add(waiting(1, 1), 0, {0}).has_value());
  CHECK(pool.next_payload({}, 1'000, 10).empty());
  CHECK(pool.next_free_nonce(numbered<address>(1), 0) == 0);
  REQUIRE(pool.add(waiting(2, 0), 0, {0}).has_value());
  REQUIRE(pool.add(waiting(1, 0), 0, {0}).has_value());
  REQUIRE(pool.add(waiting(1, 3), 0, {0}).has_value());
  CHECK(pool.next_free_nonce(numbered<address>(1), 0) == 2);
  const std::vector expected{waiting(2, 0).id, waiting(1, 0).id, waiting(1, 1).id};
  CHECK(ids(pool.next_payload({}, 1'000, 10)) == expected);
  CHECK(ids(pool.next_payload({}, 1'000, 2)) == std::vector{expected[0], expected[1]});
  CHECK(ids(pool.next_payload({}, 250, 10)) == std::vector{expected[0], expected[1]});
  CHECK(pool.next_payload({}, 99, 10).empty());
  pool.block_done(expected, next_of(1, 2));
  CHECK(pool.size() == 1);
  CHECK(pool.next_payload({}, 1'000, 10).empty());
  REQUIRE(pool.add(waiting(1, 2), 2, {0}).has_value());
  CHECK(pool.next_payload({}, 1'000, 10).size() == 2);
}

TEST_CASE("transactions that a block or an epoch has overtaken are removed") {
  mempool pool;
  for (std::uint64_t n = 0; n < 5; ++n) REQUIRE(pool.add(waiting(1, n), 0, {0}).has_value());
  REQUIRE(pool.add(waiting(2, 0, 100, 3), 0, {0}).has_value());
  pool.block_done(std::vector{waiting(1, 0).id}, next_of(1, 3));
  CHECK(pool.size() == 3);
  CHECK(pool.contains(waiting(1, 3).id));
  pool.expire({3});
  CHECK(pool.contains(waiting(2, 0, 100, 3).id));
  pool.expire({4});
  CHECK(!pool.contains(waiting(2, 0, 100, 3).id));
  pool.expire({10});
  CHECK(pool.size() == 0);
  CHECK(pool.bytes() == 0);
}

/// A block with correctly signed transactions of one account, and a pool that holds some of them.
struct signed_account {
  crypto::key_pair key = [] {
    crypto::seeded_random random(7);
    return crypto::key_pair::generate(random);
  }();
  address owner = crypto::address_of(key.public_half());

  [[nodiscard]] signed_transaction sent(std::uint64_t nonce) const {
    transaction t;
    t.sender = key.public_half();
    t.nonce = nonce;
    t.kind = tx::transfer{numbered<address>(5), {1 + nonce}};
    return signing::sign_transaction(key, t);
  }
  void add_to(mempool& pool, std::uint64_t nonce, std::uint64_t next = 0) const {
    const auto t = sent(nonce);
    REQUIRE(pool.add({signing::id_of(t), owner, nonce, {9}, t}, next, {0}).has_value());
  }
  [[nodiscard]] static block_ptr block_of(std::uint64_t number,
                                          std::vector<signed_transaction> payload) {
    identified_block b;
    b.id = numbered<block_id>(number);
    b.block.payload = std::move(payload);
    return std::make_shared<const identified_block>(std::move(b));
  }
};

TEST_CASE("transactions of ancestors are not proposed again, and nonces go on after them") {
  const signed_account one;
  mempool pool;
  for (std::uint64_t n : {0, 1, 2, 4}) one.add_to(pool, n);
  const auto first = one.block_of(1, {one.sent(0)});
  const auto second = one.block_of(2, {one.sent(1)});
  const std::vector<signed_transaction> from_one{one.sent(1), one.sent(2)};
  CHECK(pool.next_payload({first}, 10'000, 10) == from_one);
  CHECK(pool.next_payload({first, second}, 10'000, 10) == std::vector{one.sent(2)});
  CHECK(pool.next_payload({}, 10'000, 10).size() == 3);
  // A transaction that this pool has never seen fills the gap, and so does another one with a nonce
  // that waits here.
  CHECK(pool.next_payload({first, second, one.block_of(3, {one.sent(2), one.sent(3)})}, 10'000,
                          10) == std::vector{one.sent(4)});
  mempool other;
  one.add_to(other, 2);
  CHECK(other.next_payload({}, 10'000, 10).empty());
  CHECK(other.next_payload({first, second}, 10'000, 10) == std::vector{one.sent(2)});
}

TEST_CASE("a proposer cannot delay an account with transactions that its owner has not signed") {
  const signed_account one;
  mempool pool;
  one.add_to(pool, 0);
  auto forged = one.sent(0);
  forged.by_sender[7] ^= 1;
  CHECK(pool.next_payload({one.block_of(1, {forged})}, 10'000, 10) == std::vector{one.sent(0)});
  auto nonsense = one.sent(0);
  nonsense.body[9] ^= 0xff;
  CHECK(pool.next_payload({one.block_of(2, {nonsense})}, 10'000, 10) == std::vector{one.sent(0)});
}

// The numbers of security §8.3, at their edges where that is quick.
TEST_CASE("a pool takes 64 transactions of an account, whose nonces lie less than 64 ahead") {
  mempool pool;
  for (std::uint64_t n = 0; n < 64; ++n) REQUIRE(pool.add(waiting(1, n), 0, {0}).has_value());
  REQUIRE(pool.size() == 64);
  CHECK(pool.add(waiting(1, 64), 0, {0}).error() == pool_refusal::nonce_too_far);
  CHECK(pool.add(waiting(2, 64), 0, {0}).error() == pool_refusal::nonce_too_far);
  CHECK(pool.add(waiting(2, 63), 0, {0}).has_value());
  for (std::uint64_t i = pool.size(); i < 16'384; ++i) {
    REQUIRE(pool.add(waiting(1'000 + i, 0), 0, {0}).has_value());
  }
  CHECK(pool.add(waiting(3, 0), 0, {0}).error() == pool_refusal::pool_full);
  CHECK(mempool_limits{}.bytes == 32u << 20);
}

// By security §8.3 the pool is bounded.
TEST_CASE("random use never breaks the bounds nor the order of nonces") {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    const mempool_limits limits{
        .transactions = 40, .bytes = 6'000, .per_account = 6, .nonce_window = 10};
    mempool pool(limits);
    std::map<address, std::uint64_t> nonces;
    std::uint64_t epoch = 0;
    for (int step = 0; step < 300; ++step) {
      const std::uint64_t sender = random() % 12;
      const auto next = nonces[numbered<address>(sender)];
      (void)pool.add(
          waiting(sender, next + random() % 12, 72 + random() % 200, epoch + random() % 4), next,
          {epoch});
      REQUIRE(pool.size() <= limits.transactions);
      REQUIRE(pool.bytes() <= limits.bytes);
      if (random() % 10 == 0) {
        const auto payload = pool.next_payload({}, 1'000, 8);
        REQUIRE(payload.size() <= 8);
        const auto done = ids(payload);
        std::size_t size = 0;
        for (std::size_t k = 0; k < payload.size(); ++k) {
          size += payload_size(payload[k]);
          std::uint64_t packed = 0;
          for (std::size_t i = 8; i-- > 0;) packed = packed << 8 | done[k].value[i];
          REQUIRE(nonces[numbered<address>(packed >> 32)]++ == (packed >> 8 & 0xff'ffff));
        }
        REQUIRE(size <= 1'000);
        pool.block_done(done, nonce_list(nonces.begin(), nonces.end()));
        for (const auto& id : done) REQUIRE(!pool.contains(id));
      }
      if (random() % 60 == 0) pool.expire({++epoch});
    }
  }
}

}  // namespace
}  // namespace soma::test
