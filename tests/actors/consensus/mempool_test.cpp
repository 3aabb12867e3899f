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
                           std::uint64_t expiry = 2) {
  pooled_transaction t;
  t.sender = numbered<address>(sender);
  t.nonce = nonce;
  t.expiry = {expiry};
  t.work_fee = {1'000};
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

account_row at(std::uint64_t next_nonce, std::uint64_t balance = supply_cap.value) {
  return {{balance}, next_nonce};
}

using account_list = std::vector<std::pair<address, account_row>>;
account_list next_of(std::uint64_t sender, std::uint64_t nonce) {
  return {{numbered<address>(sender), at(nonce)}};
}

TEST_CASE("each refusal of the pool has its name") {
  mempool pool({.transactions = 4, .bytes = 1'000, .per_account = 2, .nonce_window = 8});
  const auto refusal = [&](pooled_transaction t, std::uint64_t next, std::uint64_t epoch = 0) {
    const auto added = pool.add(std::move(t), at(next), {epoch});
    REQUIRE(!added.has_value());
    return added.error();
  };
  REQUIRE(pool.add(waiting(1, 5), at(5), {0}).has_value());
  CHECK(refusal(waiting(1, 5), 5) == pool_refusal::duplicate);
  CHECK(refusal(waiting(1, 5, 100, 1), 5) == pool_refusal::nonce_taken);
  CHECK(refusal(waiting(1, 4), 5) == pool_refusal::nonce_too_low);
  CHECK(refusal(waiting(1, 13), 5) == pool_refusal::nonce_too_far);
  CHECK(refusal(waiting(1, UINT64_MAX), 0) == pool_refusal::nonce_too_far);
  CHECK(refusal(waiting(2, 0, 100, 3), 0, 4) == pool_refusal::expired);
  CHECK(refusal(waiting(2, 0, 100, 3), 0) == pool_refusal::expiry_too_far);
  CHECK(refusal(waiting(2, 0, 100, UINT64_MAX), 0) == pool_refusal::expiry_too_far);
  CHECK(refusal(waiting(2, 0, max_transaction_bytes + 1), 0) == pool_refusal::too_large);
  REQUIRE(pool.add(waiting(1, 7), at(5), {0}).has_value());
  CHECK(refusal(waiting(1, 6), 5) == pool_refusal::account_full);
  CHECK(refusal(waiting(2, 0, 901), 0) == pool_refusal::pool_full);
  REQUIRE(pool.add(waiting(2, 0), at(0), {0}).has_value());
  REQUIRE(pool.add(waiting(3, 0), at(0), {0}).has_value());
  REQUIRE(
      pool.add(waiting(4, 0), at(0), {0}).has_value());  // in the place of what waits for a nonce
  CHECK(!pool.contains(waiting(1, 7).id));
  CHECK(refusal(waiting(5, 0), 0) == pool_refusal::pool_full);
  CHECK(pool.size() == 4);
  CHECK(pool.bytes() == 400);
  pool.set_fee_multiplier(1'000'000);
  CHECK(pool.add(waiting(6, 0), at(0, 999), {0}).error() == pool_refusal::fees_unaffordable);
}

TEST_CASE(
    "a payload goes by arrival, an account's part by nonce without gaps, within both limits") {
  mempool pool;
  REQUIRE(pool.add(waiting(1, 1), at(0), {0}).has_value());
  CHECK(pool.next_payload({}, 1'000, 10).empty());
  CHECK(pool.next_free_nonce(numbered<address>(1), 0) == 0);
  REQUIRE(pool.add(waiting(2, 0), at(0), {0}).has_value());
  REQUIRE(pool.add(waiting(1, 0), at(0), {0}).has_value());
  REQUIRE(pool.add(waiting(1, 3), at(0), {0}).has_value());
  CHECK(pool.next_free_nonce(numbered<address>(1), 0) == 2);
  const std::vector expected{waiting(2, 0).id, waiting(1, 0).id, waiting(1, 1).id};
  CHECK(ids(pool.next_payload({}, 1'000, 10)) == expected);
  CHECK(ids(pool.next_payload({}, 1'000, 2)) == std::vector{expected[0], expected[1]});
  CHECK(ids(pool.next_payload({}, 250, 10)) == std::vector{expected[0], expected[1]});
  CHECK(pool.next_payload({}, 99, 10).empty());
  pool.block_done(expected, next_of(1, 2));
  CHECK(pool.size() == 1);
  CHECK(pool.next_payload({}, 1'000, 10).empty());
  REQUIRE(pool.add(waiting(1, 2), at(2), {0}).has_value());
  CHECK(pool.next_payload({}, 1'000, 10).size() == 2);
}

TEST_CASE("transactions that a block or an epoch has overtaken are removed") {
  mempool pool;
  for (std::uint64_t n = 0; n < 5; ++n) REQUIRE(pool.add(waiting(1, n), at(0), {0}).has_value());
  REQUIRE(pool.add(waiting(2, 0, 100, 1), at(0), {0}).has_value());
  pool.block_done(std::vector{waiting(1, 0).id}, next_of(1, 3));
  CHECK(pool.size() == 3);
  CHECK(pool.contains(waiting(1, 3).id));
  pool.expire({1});
  CHECK(pool.contains(waiting(2, 0, 100, 1).id));
  pool.expire({2});
  CHECK(!pool.contains(waiting(2, 0, 100, 1).id));
  CHECK(pool.size() == 2);
  pool.expire({3});
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
    REQUIRE(pool.add({signing::id_of(t), owner, nonce, {2}, t}, at(next), {0}).has_value());
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
  for (std::uint64_t n = 0; n < 64; ++n) REQUIRE(pool.add(waiting(1, n), at(0), {0}).has_value());
  REQUIRE(pool.size() == 64);
  CHECK(pool.add(waiting(1, 64), at(0), {0}).error() == pool_refusal::nonce_too_far);
  CHECK(pool.add(waiting(2, 64), at(0), {0}).error() == pool_refusal::nonce_too_far);
  CHECK(pool.add(waiting(2, 63), at(0), {0}).has_value());
  for (std::uint64_t i = pool.size(); i < 16'384; ++i) {
    REQUIRE(pool.add(waiting(1'000 + i, 0), at(0), {0}).has_value());
  }
  CHECK(pool.add(waiting(3, 0), at(0), {0}).has_value());  // in the place of (2, 63)
  CHECK(pool.add(waiting(4, 0), at(0), {0}).error() == pool_refusal::pool_full);
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
    const auto accounts = [&] {
      account_list rows;
      for (const auto& [who, nonce] : nonces) rows.emplace_back(who, at(nonce, random() % 9'000));
      return rows;
    };
    std::uint64_t epoch = 0;
    for (int step = 0; step < 300; ++step) {
      const std::uint64_t sender = random() % 12;
      const auto next = nonces[numbered<address>(sender)];
      auto t = waiting(sender, next + random() % 12, 72 + random() % 200, epoch + random() % 4);
      t.lane = static_cast<pool_lane>(random() % 3);
      t.is_free = t.lane == pool_lane::vote;
      t.work_fee = {random() % 3'000};
      t.moved = {random() % 5'000};
      t.value_fee = {t.moved.value / 1'000};
      (void)pool.add(t, at(next, random() % 9'000), {epoch});
      if (random() % 20 == 0) pool.set_fee_multiplier(random() % 2'000'000);
      REQUIRE(pool.behind_gaps() <= std::max<std::size_t>(limits.transactions / 16, 1));
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
        pool.block_done(done, accounts());
        for (const auto& id : done) REQUIRE(!pool.contains(id));
      }
      if (random() % 60 == 0) pool.expire({++epoch});
    }
  }
}

pooled_transaction in_lane(pooled_transaction t, pool_lane lane, std::uint64_t work_fee = 0,
                           std::uint64_t bid = 0) {
  t.lane = lane;
  t.is_free = lane == pool_lane::vote;
  t.work_fee = {work_fee};
  t.value_fee = {bid};
  return t;
}

// By security §8.3.1.
TEST_CASE(
    "votes come before reveals and these before the rest, which goes by bids and then by age") {
  mempool pool;
  const auto cheap = in_lane(waiting(1, 0), pool_lane::rest, 1'000);
  const auto large = in_lane(waiting(2, 0, 1'000), pool_lane::rest, 5'000);
  // An eighth of the base fee is the least bid that counts.
  const auto bidding = in_lane(waiting(3, 0), pool_lane::rest, 1'000, 125);
  const auto hardly = in_lane(waiting(7, 0), pool_lane::rest, 1'000, 124);
  const auto reveal = in_lane(waiting(4, 0), pool_lane::reveal, 1'000);
  const auto vote = in_lane(waiting(5, 0), pool_lane::vote);
  // The vote of a member waits for what the member sent before it.
  const auto before = in_lane(waiting(6, 0, 2'000), pool_lane::rest, 1'000);
  const auto after = in_lane(waiting(6, 1), pool_lane::vote);
  for (const auto& t : {large, cheap, hardly, bidding, before, after, reveal, vote})
    REQUIRE(pool.add(t, at(0), {0}).has_value());
  CHECK(ids(pool.next_payload({}, 100'000, 10)) == std::vector{before.id, after.id, vote.id,
                                                               reveal.id, bidding.id, large.id,
                                                               cheap.id, hardly.id});
}

// By security §8.3: of several votes on one thing only the first would be free.
TEST_CASE("for each duty of an account one transaction waits, as long as it would be applied") {
  mempool pool;
  pool.set_fee_multiplier(1'000'000);
  const auto vote = [](std::uint64_t sender, std::uint64_t nonce, std::uint8_t about) {
    auto t = in_lane(waiting(sender, nonce), pool_lane::vote);
    t.duty = {about};
    return t;
  };
  REQUIRE(pool.add(vote(1, 0, 7), at(0, 0), {0}).has_value());
  CHECK(pool.add(vote(1, 1, 7), at(0, 0), {0}).error() == pool_refusal::duty_waits);
  REQUIRE(pool.add(vote(1, 1, 8), at(0, 0), {0}).has_value());
  REQUIRE(pool.add(vote(2, 0, 7), at(0, 0), {0}).has_value());
  pool.drop_duties([](const pooled_transaction& t) { return t.duty == row_key{8}; });
  CHECK(!pool.contains(vote(1, 1, 8).id));
  CHECK(pool.size() == 2);
  REQUIRE(pool.add(vote(1, 1, 8), at(0, 0), {0}).has_value());
  pool.block_done(std::vector{vote(1, 0, 7).id}, account_list{{numbered<address>(1), at(1, 0)}});
  REQUIRE(pool.add(vote(1, 2, 7), at(1, 0), {0}).has_value());  // where it may come again
}

// By security §8.3. The attack: the pool asked for base fees alone. The first of 64 transactions
// moved the money away; the others filled blocks, stopped at the door and paid nothing.
TEST_CASE("attack: an account lets wait only what it can pay, amounts and bonds included") {
  mempool pool;
  pool.set_fee_multiplier(1'000'000);
  const auto balance = 64'000 + 61'061;
  auto away = waiting(1, 0);
  away.moved = {120'000};
  away.value_fee = {120};
  REQUIRE(pool.add(away, at(0, balance), {0}).has_value());
  std::uint64_t taken = 1;
  for (std::uint64_t n = 1; n < 64; ++n)
    taken += pool.add(waiting(1, n), at(0, balance), {0}) ? 1 : 0;
  CHECK(taken == 4);  // of 64: what is left pays for three others
  CHECK(pool.add(waiting(1, 4), at(0, balance), {0}).error() == pool_refusal::fees_unaffordable);
  // A dearer block, or a balance that shrinks, drops the last.
  pool.set_fee_multiplier(2'000'000);
  CHECK(pool.size() == 2);
  pool.block_done({}, account_list{{numbered<address>(1), at(0, 122'119)}});
  CHECK(pool.size() == 0);
}

// By security §8.3.
TEST_CASE("an account whose money is gone loses the last of what it let wait") {
  mempool pool;
  pool.set_fee_multiplier(1'000'000);
  for (std::uint64_t n = 0; n < 5; ++n)
    REQUIRE(pool.add(waiting(1, n), at(0, 5'000), {0}).has_value());
  CHECK(pool.add(waiting(1, 5), at(0, 5'999), {0}).error() == pool_refusal::fees_unaffordable);
  REQUIRE(pool.add(in_lane(waiting(1, 5), pool_lane::vote), at(0, 5'000), {0}).has_value());
  pool.block_done({}, account_list{{numbered<address>(1), at(0, 2'500)}});
  CHECK(pool.contains(waiting(1, 1).id));
  CHECK(!pool.contains(waiting(1, 2).id));
  CHECK(pool.contains(waiting(1, 5).id));  // the vote is free
  CHECK(pool.behind_gaps() == 1);
  pool.set_fee_multiplier(1'500'000);
  CHECK(!pool.contains(waiting(1, 1).id));
  CHECK(pool.contains(waiting(1, 0).id));
}

// By security §8.3.1: a quarter for each of the higher lanes.
TEST_CASE("a full pool makes room for votes and reveals, up to a quarter for each") {
  mempool pool({.transactions = 64, .bytes = 1u << 20, .per_account = 64, .nonce_window = 64});
  for (std::uint64_t i = 0; i < 64; ++i) {
    const auto t = in_lane(waiting(1 + i / 16, i % 16), pool_lane::rest, 1'000);
    REQUIRE(pool.add(t, at(0), {0}).has_value());
  }
  const auto add = [&](std::uint64_t sender, pool_lane lane, std::uint64_t fee,
                       std::uint64_t bid = 0) {
    return pool.add(in_lane(waiting(sender, 0), lane, fee, bid), at(0), {0}).has_value();
  };
  CHECK(!add(90, pool_lane::rest, 1'000, 124));
  CHECK(add(91, pool_lane::rest, 1'000, 125));
  for (std::uint64_t i = 0; i < 16; ++i) {
    CHECK(add(100 + i, pool_lane::reveal, 1'000));
    CHECK(add(200 + i, pool_lane::vote, 0));
  }
  CHECK(!add(120, pool_lane::reveal, 1'000));
  CHECK(!add(220, pool_lane::vote, 0));
  CHECK(pool.size() == 64);
  CHECK(pool.behind_gaps() == 0);  // the last of an account leaves first
  for (std::uint64_t i = 0; i < 16; ++i) {
    CHECK(pool.contains(waiting(100 + i, 0).id));
    CHECK(pool.contains(waiting(200 + i, 0).id));
  }
  CHECK(pool.contains(waiting(91, 0).id));
  CHECK(pool.next_payload({}, 1u << 20, 64).size() == 64);
}

// By security §8.3: one large transaction cannot push out many of which some bid more, and what
// is refused pushes out nothing.
TEST_CASE("who does not get in leaves the pool as it was") {
  mempool pool({.transactions = 64, .bytes = 10'000, .per_account = 64, .nonce_window = 64});
  for (std::uint64_t i = 0; i < 50; ++i) {
    const auto t = in_lane(waiting(1 + i, 0, 200), pool_lane::rest, 1'000, i < 25 ? 0 : 2'000);
    REQUIRE(pool.add(t, at(0), {0}).has_value());
  }
  const auto large = in_lane(waiting(99, 0, 6'000), pool_lane::rest, 60'000, 60'000);
  CHECK(pool.add(large, at(0), {0}).error() == pool_refusal::pool_full);
  CHECK(pool.size() == 50);
  CHECK(pool.bytes() == 10'000);
}

// The attack (reference M1): 261 accounts of 1,000 shannons, none of them spent, held all of the
// pool for ever.
TEST_CASE("attack: 0.000261 SOMA do not fill the pool; claims, reveals and votes get in") {
  mempool pool;
  pool.set_fee_multiplier(1'000'000);
  std::uint64_t taken = 0;
  for (std::uint64_t sender = 1; sender <= 261; ++sender) {
    for (std::uint64_t nonce = 0; nonce < 64; ++nonce) {
      CHECK(pool.add(waiting(sender, nonce, 264, 1'000'000'000), at(0, 1'000), {5}).error() ==
            pool_refusal::expiry_too_far);
      if (nonce > 0) taken += pool.add(waiting(sender, nonce, 264, 7), at(0, 1'000), {5}) ? 1 : 0;
    }
  }
  CHECK(taken == 261);  // one for each base fee
  CHECK(pool.size() == 261);
  for (std::uint64_t sender = 1'000; sender < 4'000; ++sender)
    REQUIRE(pool.add(waiting(sender, 1, 264, 7), at(0, 1'000), {5}).has_value());
  CHECK(pool.behind_gaps() == 1'024);  // a sixteenth, whoever pays for it
  // What honest people send gets in, and is all that the next block has.
  const auto claim = in_lane(waiting(77'001, 0, 300, 6), pool_lane::rest, 1'000);
  const auto reveal = in_lane(waiting(77'002, 0, 300, 6), pool_lane::reveal, 1'000);
  const auto vote = in_lane(waiting(77'003, 0, 214, 6), pool_lane::vote);
  for (const auto& t : {claim, reveal, vote}) REQUIRE(pool.add(t, at(0), {5}).has_value());
  CHECK(ids(pool.next_payload({}, 262'144, 4'096)) == std::vector{vote.id, reveal.id, claim.id});
  pool.expire({8});
  CHECK(pool.size() == 0);
}

// The same attack with transactions that can be executed, by those who have the fees of all.
TEST_CASE("attack: a pool full of paid transactions still takes votes, reveals, and higher fees") {
  mempool pool;
  pool.set_fee_multiplier(1'000'000);
  for (std::uint64_t i = 0; i < 16'384; ++i) {
    const auto t = in_lane(waiting(1 + i / 64, i % 64, 264), pool_lane::rest, 1'000);
    REQUIRE(pool.add(t, at(0, 64'000), {0}).has_value());
  }
  for (std::uint64_t i = 0; i < 4'096; ++i) {
    REQUIRE(pool.add(in_lane(waiting(50'000 + i, 0), pool_lane::vote), at(0, 0), {0}).has_value());
    const auto reveal = in_lane(waiting(60'000 + i, 0), pool_lane::reveal, 1'000);
    REQUIRE(pool.add(reveal, at(0), {0}).has_value());
  }
  CHECK(pool.size() == 16'384);
  // The multiplier of a block after ten full ones: most of the money is not there any more.
  pool.set_fee_multiplier(3'247'000);
  CHECK(pool.size() < 16'384 / 3 + 8'192);
}

}  // namespace
}  // namespace soma::test
