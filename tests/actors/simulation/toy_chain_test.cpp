#include <doctest/doctest.h>

#include "actors/simulation/toy_chain.hpp"
#include "messages/codec/codec.hpp"

using namespace soma;
using namespace soma::simulation;

namespace {

struct bench {
  fault_plan p = quiet_plan(1, 4);
  keyring keys{1};
  toy_chain toy{p, keys};

  block next(const state_ptr& on, std::vector<signed_transaction> payload,
             std::uint64_t after_ms = 100) {
    block b;
    b.header.epoch = {on->epoch};
    b.header.height = {on->height + 1};
    b.header.time_ms = on->time_ms + after_ms;
    b.payload = std::move(payload);
    return b;
  }
  executed_ptr execute(const state_ptr& on, const block& b) { return toy.execute(on, {}, b); }
  signed_transaction evidence(const vote_statement& a, const vote_statement& b,
                              std::uint16_t identity) {
    const auto key = keys.key(identity, 0);
    return encode_toy(tx::report_equivocation{key, encode(a), keys.sign_vote(key, a, keys.chain()),
                                              encode(b), keys.sign_vote(key, b, keys.chain())});
  }
};

vote_statement notarize(std::uint64_t view, std::uint64_t block) {
  return {vote_kind::notarize, {0}, {view}, id_from<block_id>(block)};
}

}  // namespace

// The simulated network's own rules keep S9, too.
TEST_CASE("a transfer moves money once, burns its fee and needs its nonce") {
  bench b;
  const auto& genesis = b.toy.genesis();
  const auto t = encode_toy(toy_transaction{1, 2, 0, 50, 9, 1});
  const auto once = b.execute(genesis, b.next(genesis, {t}));
  CHECK(once->state->balances[1] == genesis->balances[1] - 51);
  CHECK(once->state->balances[2] == genesis->balances[2] + 50);
  CHECK(once->state->burned == 1);
  CHECK(once->state->supply() == genesis->supply());
  const auto twice = b.execute(once->state, b.next(once->state, {t}));
  CHECK(twice->state->balances == once->state->balances);
  CHECK(twice->result.root != once->result.root);
  const auto gap =
      b.execute(genesis, b.next(genesis, {encode_toy(toy_transaction{1, 2, 1, 50, 9, 1})}));
  CHECK(gap->state->balances == genesis->balances);
}

TEST_CASE("a block that does not follow is no block: height, epoch, unreadable content") {
  bench b;
  const auto& genesis = b.toy.genesis();
  CHECK(b.execute(genesis, b.next(genesis, {}))->result.follows);
  auto high = b.next(genesis, {});
  high.header.height = {2};
  CHECK_FALSE(b.execute(genesis, high)->result.follows);
  auto later = b.next(genesis, {});
  later.header.epoch = {1};
  CHECK_FALSE(b.execute(genesis, later)->result.follows);
  CHECK_FALSE(b.execute(genesis, b.next(genesis, {signed_transaction{}}))->result.follows);
}

TEST_CASE("a key that equivocated is slashed once a view and class, and not on forged evidence") {
  bench b;
  const auto& genesis = b.toy.genesis();
  const auto shown = b.evidence(notarize(3, 1), notarize(3, 2), 2);
  const auto first = b.execute(genesis, b.next(genesis, {shown, shown}));
  CHECK(first->state->slashed == std::vector<std::uint16_t>{2});
  CHECK(first->state->stakes[2] == 950'000);
  const auto swapped = b.evidence(notarize(3, 7), notarize(3, 1), 2);
  const auto again = b.execute(first->state, b.next(first->state, {swapped}));
  CHECK(again->state->stakes[2] == 950'000);
  const auto other_view = b.evidence(notarize(4, 7), notarize(4, 1), 2);
  const auto more = b.execute(again->state, b.next(again->state, {other_view}));
  CHECK(more->state->stakes[2] < 950'000);

  const auto harmless = [&](const signed_transaction& t) {
    return b.execute(genesis, b.next(genesis, {t}))->state->slashed.empty();
  };
  CHECK(harmless(b.evidence(notarize(3, 1), notarize(4, 2), 2)));
  CHECK(harmless(b.evidence(notarize(3, 1), notarize(3, 1), 2)));
  CHECK(harmless(b.evidence(notarize(3, 1), {vote_kind::skip, {0}, 3, {}}, 2)));
  auto forged = b.evidence(notarize(3, 1), notarize(3, 2), 2);
  forged.body[4] ^= 1;
  CHECK(harmless(forged));
}

// The simulated network's own rules end an epoch as E1 says.
TEST_CASE("the first block at the epoch's end closes it and seats the next committee") {
  bench b;
  b.p.committees.push_back(b.p.committees.front());
  b.p.committees.back()[0].power += 500;
  b.p.committees.back()[1].power -= 500;
  const auto& genesis = b.toy.genesis();
  const auto before = b.execute(genesis, b.next(genesis, {}, b.p.epoch_ms - 1));
  CHECK_FALSE(before->result.closes_epoch);
  const auto end = b.execute(before->state, b.next(before->state, {}, 1));
  CHECK(end->result.closes_epoch);
  CHECK(end->state->epoch == 1);
  CHECK(end->result.next_committee[0].power == voting_power{3'000});
  CHECK(end->result.epoch_end_ms == end->state->time_ms + b.p.epoch_ms);
}
