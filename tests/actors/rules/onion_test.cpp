// Where the entropy of draws comes from, and who can change it.
#include "actors/rules/onion.hpp"

#include <doctest/doctest.h>

#include <set>

#include "messages/signing/signing.hpp"
#include "tests/actors/rules/network.hpp"

namespace soma::test {

using rules::refusal;

namespace {

/// Layers from the core outwards.
std::vector<hash256> onion(std::uint8_t core, std::size_t layers) {
  std::vector<hash256> all{hash256{{core}}};
  while (all.size() < layers) all.push_back(signing::layer_around(all.back()));
  return all;
}

struct proposing {
  network net;
  person member = validator_person(900);
  std::vector<hash256> layers = onion(1, 10);

  explicit proposing(const soma::genesis& g) : net(g) {}
  proposing() : proposing(small_genesis(2, std::vector{somebody(1)})) {}

  /// A block by the member with this peel, executed but not taken in.
  [[nodiscard]] std::optional<rules::block_refusal> check(const hash256& peel) const {
    auto block = net.next_input(10);
    block.proposer = member.key;
    block.peel = peel;
    return rules::check_block(block, net.chain_now(), net.state);
  }
  void block(const hash256& peel) {
    net.proposer = member.key;
    net.peel = peel;
    net.block();
    net.proposer = {};
    net.peel = {};
  }
  [[nodiscard]] onion_row row() const { return *ledger::read_onion(net.state, member.key); }
  /// Commits to the onion and waits until the next block is the first that has to peel it.
  void commit(const hash256& outermost, std::uint64_t number) {
    REQUIRE(!net.run(member, tx::commit_onion{outermost, number}));
    const auto due = row().next_from;
    while (net.chain_now().height.next() < due) net.block();
  }
};

}  // namespace

// Protocol §7.1.1.
TEST_CASE("an onion is committed by a member alone, and waits before it is peeled") {
  proposing w;
  const auto outermost = w.layers.back();
  w.net.give_fees_to_members(somebody(1));
  CHECK(w.net.run(somebody(1), tx::commit_onion{outermost, 3}) == refusal::not_a_member);
  CHECK(w.net.run(w.member, tx::commit_onion{{}, 3}) == refusal::onion_invalid);
  CHECK(!w.net.run(w.member, tx::commit_onion{outermost, 3}));
  CHECK(w.net.last.outcomes[0].fee.value == 0);
  const auto height = w.net.chain_now().height;
  CHECK(w.row() == onion_row{{}, 0, outermost, 3, height + rules::onion_delay});
  CHECK(w.net.run(w.member, tx::commit_onion{outermost, 4}) == refusal::onion_pending);
  while (w.net.chain_now().height.next() < w.row().next_from) {
    REQUIRE(!w.check({}));
    REQUIRE(w.check(w.layers[8]) == rules::block_refusal::wrong_peel);
    w.net.block();
  }
  CHECK(w.check({}) == rules::block_refusal::wrong_peel);
  CHECK(!w.check(w.layers[8]));
}

// Protocol §7.1.2.
TEST_CASE("each block peels the next layer, and no other peel follows") {
  proposing w;
  w.commit(w.layers.back(), 3);
  for (std::size_t i = w.layers.size() - 1; i-- > 0;) {
    CAPTURE(i);
    const auto before = w.net.chain_now().entropy;
    for (std::size_t other = 0; other < w.layers.size(); ++other) {
      CHECK(w.check(w.layers[other]).has_value() == (other != i));
    }
    w.block(w.layers[i]);
    CHECK(w.row() == onion_row{w.layers[i], 3, {}, 0, {}});
    CHECK(w.net.chain_now().entropy == signing::entropy_after(before, w.layers[i]));
  }
  // The core is peeled: nobody knows what would be inside, and the member cannot propose.
  for (const auto& layer : w.layers) CHECK(w.check(layer));
  CHECK(w.check({}));
}

// Protocol §7.1.1.
TEST_CASE("another onion takes the place of the one that is peeled, also of one nobody peeled") {
  proposing w;
  const auto second = onion(2, 5), third = onion(3, 5);
  w.commit(w.layers.back(), 1);
  w.block(w.layers[8]);
  w.commit(second.back(), 2);
  CHECK(w.row().layer == w.layers[8]);
  CHECK(w.check(w.layers[7]) == rules::block_refusal::wrong_peel);
  CHECK(!w.check(second[3]));
  // Before it was peeled once, a third is committed.
  w.commit(third.back(), 3);
  CHECK(w.row().number == 2);
  CHECK(!w.check(third[3]));
  w.block(third[3]);
  CHECK(w.row() == onion_row{third[3], 3, {}, 0, {}});
}

// Protocol §7.1.
TEST_CASE("no content of a block changes what it draws") {
  const std::vector people{somebody(1), somebody(2)};
  proposing w(small_genesis(2, people));
  (void)w.net.active_models(people[0], 4);
  w.commit(w.layers.back(), 1);
  // What a proposer can try out: transactions, their order, and the time.
  std::set<hash256> entropies, seeds;
  std::set<std::vector<target_id>> drawn;
  dice d{7};
  for (int variant = 0; variant < 400; ++variant) {
    auto input = w.net.next_input(w.net.genesis.parameters.epoch_ms + d.below(1'000));
    input.proposer = w.member.key;
    input.peel = w.layers[8];
    input.parent = w.net.parent;
    for (std::uint64_t i = 0; i < d.below(3); ++i) {
      transaction t{
          w.net.chain, people[1].key, i, {99}, tx::transfer{people[0].where(), {1 + d.below(9)}}};
      input.transactions.push_back(
          {crypto::hash("test.tx", encode(t)).as<transaction_tag>(), t, 300, {}});
    }
    const auto begun = rules::begin_block(input, w.net.state, w.net.active, w.net.genesis);
    std::vector<target_id> ids;
    for (const auto& draw : begun.draws()) ids.push_back(draw.id);
    REQUIRE(ids.size() == 4);
    drawn.insert(ids);
    const auto done = network::execute(input, w.net.state, w.net.active, w.net.genesis);
    entropies.insert(done.chain.entropy);
    seeds.insert(done.chain.next_leader_seed);
  }
  CHECK(drawn.size() == 1);
  CHECK(entropies.size() == 1);
  CHECK(seeds.size() == 1);
}

// Protocol §9.5.
TEST_CASE("the leaders of an epoch follow from the entropy at the end of the one before the last") {
  proposing w;
  w.commit(w.layers.back(), 1);
  auto seed = w.net.chain.as<hash_tag>();
  CHECK(w.net.chain_now().leader_seed == seed);
  CHECK(w.net.chain_now().next_leader_seed == seed);
  for (std::size_t epoch = 0; epoch < 3; ++epoch) {
    w.net.proposer = w.member.key;
    w.net.peel = w.layers[8 - epoch];
    w.net.end_epoch();
    const auto chain = w.net.chain_now();
    CHECK(chain.leader_seed == seed);
    CHECK(chain.next_leader_seed == chain.entropy);
    seed = chain.entropy;
  }
}

// Protocol §7.7.
TEST_CASE("a replacement is unknown to whoever claims: the next block's peel decides it") {
  const std::vector people{somebody(1)};
  proposing w(small_genesis(2, people));
  (void)w.net.active_models(people[0], 4);
  const auto before = w.net.open_targets();
  w.commit(w.layers.back(), 1);
  auto targets = w.net.open_targets();
  REQUIRE(!targets.empty());
  REQUIRE(!w.net.run(people[0], submission_for(targets[0], people[0], 1).claim));
  CHECK(w.net.open_targets().size() == targets.size() - 1);
  const auto known = w.net.chain_now().entropy;
  w.block(w.layers[8]);
  const auto opened = signing::target_id_of(signing::entropy_after(known, w.layers[8]), 0);
  CHECK(ledger::read_target(w.net.state, opened).has_value());
  CHECK(w.net.open_targets().size() == targets.size());
}

}  // namespace soma::test
