#include <doctest/doctest.h>

#include <random>

#include "actors/consensus/mempool.hpp"

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
  return t;
}

std::vector<transaction_id> ids(const std::vector<solo::payload_source::item>& items) {
  std::vector<transaction_id> list;
  for (const auto& item : items) list.push_back(item.id);
  return list;
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
  CHECK(pool.empty());
  CHECK(pool.next_free_nonce(numbered<address>(1), 0) == 0);
  REQUIRE(pool.add(waiting(2, 0), 0, {0}).has_value());
  REQUIRE(pool.add(waiting(1, 0), 0, {0}).has_value());
  REQUIRE(pool.add(waiting(1, 3), 0, {0}).has_value());
  CHECK(pool.next_free_nonce(numbered<address>(1), 0) == 2);
  const std::vector expected{waiting(2, 0).id, waiting(1, 0).id, waiting(1, 1).id};
  CHECK(ids(pool.next_payload(1'000, 10)) == expected);
  CHECK(ids(pool.next_payload(1'000, 2)) == std::vector{expected[0], expected[1]});
  CHECK(ids(pool.next_payload(250, 10)) == std::vector{expected[0], expected[1]});
  CHECK(pool.next_payload(99, 10).empty());
  pool.block_done(expected, [](const address&) { return std::uint64_t{2}; });
  CHECK(pool.size() == 1);
  CHECK(pool.empty());
  REQUIRE(pool.add(waiting(1, 2), 2, {0}).has_value());
  CHECK(pool.next_payload(1'000, 10).size() == 2);
}

TEST_CASE("what is overtaken by a block or an epoch goes") {
  mempool pool;
  for (std::uint64_t n = 0; n < 5; ++n) REQUIRE(pool.add(waiting(1, n), 0, {0}).has_value());
  REQUIRE(pool.add(waiting(2, 0, 100, 3), 0, {0}).has_value());
  pool.block_done(std::vector{waiting(1, 0).id}, [](const address&) { return std::uint64_t{3}; });
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
          waiting(sender, next + random() % 12, 65 + random() % 200, epoch + random() % 4), next,
          {epoch});
      REQUIRE(pool.size() <= limits.transactions);
      REQUIRE(pool.bytes() <= limits.bytes);
      if (random() % 10 == 0) {
        const auto payload = pool.next_payload(1'000, 8);
        REQUIRE(payload.size() <= 8);
        CHECK(pool.empty() == pool.next_payload(1'000, 8).empty());
        std::size_t size = 0;
        for (const auto& item : payload) {
          size += solo::payload_size(item.transaction);
          std::uint64_t packed = 0;
          for (std::size_t i = 8; i-- > 0;) packed = packed << 8 | item.id.value[i];
          REQUIRE(nonces[numbered<address>(packed >> 32)]++ == (packed >> 8 & 0xff'ffff));
        }
        REQUIRE(size <= 1'000);
        const auto done = ids(payload);
        pool.block_done(done, [&](const address& who) { return nonces[who]; });
        for (const auto& id : done) REQUIRE(!pool.contains(id));
      }
      if (random() % 60 == 0) pool.expire({++epoch});
    }
  }
}

}  // namespace
}  // namespace soma::test
