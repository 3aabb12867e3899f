#include <doctest/doctest.h>

#include "actors/rules/arithmetic.hpp"
#include "actors/rules/difficulty.hpp"
#include "actors/rules/emission.hpp"
#include "actors/rules/epoch.hpp"
#include "tests/actors/rules/network.hpp"

namespace soma::test {
namespace {

rules::candidate candidate(std::uint64_t number, std::uint64_t stake) {
  return {{id_from<model_id>(number), 1}, {stake}, rules::integer_sqrt(stake)};
}

// Protocol §7.4 and §7.5.
TEST_CASE("assignment scores are the worked example of the formula") {
  const std::vector all{candidate(1, 100), candidate(2, 400), candidate(3, 0)};
  // mean 200, variance (10000 + 0 + 10000) / 3 = 6666, std 81; roots 10, 20, 0.
  const auto scores = rules::assignment_scores(std::vector<std::uint32_t>{100, 200, 300},
                                               rules::stake_bonuses(all, 500'000));
  CHECK(scores[0] == -1'234'568 - 250'000);  // -100 * 10^6 / 81 = -1234567.9, floor
  CHECK(scores[1] == -500'000);
  CHECK(scores[2] == 1'234'567);
  CHECK(rules::stake_bonuses(std::vector{candidate(1, 0)}, 500'000) ==
        std::vector<std::int64_t>{0});
  CHECK(rules::assignment_scores(std::vector<std::uint32_t>{7}, std::vector<std::int64_t>{0}) ==
        std::vector<std::int64_t>{0});
  CHECK(rules::assignment_scores({}, {}).empty());
}

// Protocol §7.6.
TEST_CASE("the lowest three are assigned, best first, ties by id") {
  CHECK(rules::lowest(std::vector<std::int64_t>{5, -3, 9, 5}, 3) ==
        std::vector<std::size_t>{1, 0, 3});
  CHECK(rules::lowest(std::vector<std::int64_t>{5, -3, 9, 5}, 9).size() == 4);
  CHECK(rules::lowest(std::vector<std::int64_t>{1, 2}, 0).empty());
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    CAPTURE(seed);
    dice d{seed};
    std::vector<std::int64_t> scores;
    std::vector<std::size_t> order;
    for (std::uint64_t i = 0; i < d.below(40); ++i) {
      order.push_back(scores.size());
      scores.push_back(static_cast<std::int64_t>(d.below(12)) - 6);
    }
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return scores[a] < scores[b]; });
    const auto count = 1 + d.below(5);
    order.resize(std::min<std::size_t>(order.size(), count));
    CHECK(rules::lowest(scores, count) == order);
  }
}

// Protocol §7.4.
TEST_CASE("stake buys at most half a standard deviation, and extreme values do not overflow") {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    CAPTURE(seed);
    dice d{seed};
    std::vector<rules::candidate> all;
    std::vector<std::uint32_t> distances;
    for (std::uint64_t i = 0; i < 1 + d.below(50); ++i) {
      all.push_back(candidate(i, d.below(supply_cap.value)));
      distances.push_back(d.chance(50) ? (1u << 31) * static_cast<std::uint32_t>(d.below(2))
                                       : static_cast<std::uint32_t>(d.below((1ull << 31) + 1)));
    }
    const auto with = rules::assignment_scores(distances, rules::stake_bonuses(all, 500'000));
    const auto without = rules::assignment_scores(distances, rules::stake_bonuses(all, 0));
    for (std::size_t i = 0; i < all.size(); ++i) {
      CHECK(without[i] - with[i] >= 0);
      CHECK(without[i] - with[i] <= 500'000);
    }
  }
}

// Protocol §7.1.3 and §9.5.
TEST_CASE(
    "an epoch opens its targets from the entropy, index by index, and sets their rewards aside") {
  const std::vector people{somebody(1)};
  network net(small_genesis(1, people));
  (void)net.active_models(people[0], 5);
  net.end_epoch();
  const auto chain = net.chain_now();
  const auto open = net.open_targets();
  CHECK(open.size() == 4);
  CHECK(chain.targets_waiting == 0);
  std::uint64_t pot = chain.target_pot.value + chain.set_aside.value;
  for (std::uint64_t i = 0; i < 4; ++i) {  // each has an eighth of what is there when it opens
    const auto target = ledger::read_target(net.state, signing::target_id_of(chain.entropy, i));
    REQUIRE(target);
    CHECK(target->reward.value == pot / 8);
    CHECK(target->seed == signing::target_seed(chain.entropy, i));
    pot -= target->reward.value;
  }
  CHECK(pot == chain.target_pot.value);
  std::set<target_id> ids;
  for (const auto& t : open) {
    ids.insert(t.id);
    CHECK(t.row.assigned.size() == 3);
    CHECK(t.row.radius_q30 == rules::radius_q30(chain.difficulty_ppm, test_dim));
  }
  for (std::uint64_t i = 0; i < 4; ++i)
    CHECK(ids.contains(signing::target_id_of(chain.entropy, i)));
}

// Protocol §7.7 and §3.5.
TEST_CASE("a target is opened only with models, and one below 1,000 shannons waits for the pot") {
  const std::vector people{somebody(1)};
  auto genesis = small_genesis(1, people);
  genesis.parameters.hits_wanted = 24'000'000'000 / 24;  // a part is next to nothing
  network net(genesis);
  net.end_epoch();
  CHECK(net.chain_now().target_pot.value > 0);
  CHECK(net.open_targets().empty());
  CHECK(net.chain_now().targets_waiting == 0);
  (void)net.active_models(people[0], 1);
  CHECK(net.open_targets().size() == 4);
  // A pot that is too small lets them wait until it has filled.
  ledger::block_state state(net.state);
  auto run = rules::block_run{state, net.genesis.parameters, {99}};
  state.must_move(rules::of(ledger::pot::targets), rules::of(ledger::pot::unissued),
                  state.chain().target_pot);
  const auto parts = rules::pot_parts(net.genesis.parameters);
  state.must_move(rules::of(ledger::pot::unissued), rules::of(ledger::pot::targets),
                  {1'000 * parts - 1});
  state.update_chain([](chain_row& c) { c.targets_waiting = 2; });
  CHECK(rules::pay_for_targets(run).empty());
  CHECK(state.chain().targets_waiting == 2);
  state.must_move(rules::of(ledger::pot::unissued), rules::of(ledger::pot::targets), {1});
  const auto one = rules::pay_for_targets(run);
  REQUIRE(one.size() == 1);
  CHECK(one[0].reward.value == 1'000);
  CHECK(one[0].id == signing::target_id_of(state.chain().entropy, 0));
  CHECK(state.chain().targets_waiting == 1);
}

// Protocol §7.7.
TEST_CASE(
    "a target that is worth less than its part of what eight times the hits would pay waits") {
  const std::vector people{somebody(1)};
  network net(small_genesis(1, people));
  (void)net.active_models(people[0], 1);
  const auto& p = net.genesis.parameters;
  ledger::block_state state(net.state);
  auto run = rules::block_run{state, p, {99}};
  const auto least = rules::least_reward(p, state.chain());
  REQUIRE(least.value > 10'000);
  state.must_move(rules::of(ledger::pot::targets), rules::of(ledger::pot::unissued),
                  state.chain().target_pot);
  state.must_move(rules::of(ledger::pot::unissued), rules::of(ledger::pot::targets),
                  {least.value * rules::pot_parts(p) - 1});
  state.update_chain([](chain_row& c) { c.targets_waiting = 2; });
  CHECK(rules::pay_for_targets(run).empty());
  state.must_move(rules::of(ledger::pot::unissued), rules::of(ledger::pot::targets), {1});
  REQUIRE(rules::pay_for_targets(run).size() == 1);
  CHECK(state.chain().set_aside.value >= least.value);
}

// Protocol §7.9.
TEST_CASE("targets that stood until the epoch's end and were not hit make the next ones easier") {
  const std::vector people{somebody(1)};
  auto genesis = small_genesis(1, people);
  genesis.parameters.difficulty_start_ppm = 1'000'000;
  network net(genesis);
  (void)net.active_models(people[0], 3);
  const auto before = net.chain_now();
  REQUIRE(before.set_aside.value > 0);
  net.end_epoch();
  CHECK(net.chain_now().difficulty_ppm == before.difficulty_ppm - 300'000);
}

// Protocol §7.7: an epoch's end goes through all claims that stand.
TEST_CASE("attack: no target opens while too many claims are not revealed") {
  const std::vector people{somebody(1), somebody(2)};
  network net(small_genesis(1, people));
  (void)net.active_models(people[0], 3);
  const auto most = rules::most_standing * rules::pot_parts(net.genesis.parameters);
  std::uint64_t claims = 0;
  for (int block = 0; block < 40; ++block) {
    for (const auto& target : net.open_targets()) {
      net.send(people[1], submission_for(target, people[1], 10 * ++claims).claim);
    }
    net.block();
    REQUIRE(net.chain_now().claims_standing == claims);
  }
  CHECK(claims >= most);
  CHECK(claims < most + 8);
  CHECK(net.open_targets().empty());
  CHECK(net.chain_now().targets_waiting > 0);
  net.end_epoch();
  net.end_epoch();
  CHECK(net.chain_now().claims_standing == 0);
  CHECK(net.open_targets().size() == 4);
}

// Protocol §7.3 and §10.4.
TEST_CASE("a draw that does not answer the request is refused by name") {
  const std::vector people{somebody(1)};
  network net(small_genesis(1, people));
  (void)net.active_models(people[0], 3);
  const auto begun = rules::begin_block(net.next_input(net.genesis.parameters.epoch_ms), net.state,
                                        net.active, net.genesis);
  const auto good = network::draw(begun);
  CHECK(!rules::check_draws(begun, good));
  auto bad = good;
  bad.targets.pop_back();
  CHECK(rules::check_draws(begun, bad) == rules::draw_refusal::wrong_number);
  bad = good;
  ++bad.targets[0].seed;
  CHECK(rules::check_draws(begun, bad) == rules::draw_refusal::wrong_seed);
  bad = good;
  bad.targets[1].point.pop_back();
  CHECK(rules::check_draws(begun, bad) == rules::draw_refusal::wrong_dimension);
  bad = good;
  bad.targets[1].distances_q30.pop_back();
  CHECK(rules::check_draws(begun, bad) == rules::draw_refusal::wrong_models);
  bad = good;
  bad.models.pop_back();
  CHECK(rules::check_draws(begun, bad) == rules::draw_refusal::wrong_models);
  bad = good;
  std::swap(bad.models[0], bad.models[1]);
  CHECK(rules::check_draws(begun, bad) == rules::draw_refusal::wrong_models);
  bad = good;
  ++bad.models[2].version;
  CHECK(rules::check_draws(begun, bad) == rules::draw_refusal::wrong_models);
  bad = good;
  bad.targets[3].distances_q30[0] = rules::max_radius_q30 + 1;
  CHECK(rules::check_draws(begun, bad) == rules::draw_refusal::distance_out_of_range);
}

// Protocol §7.7 and §7.11. The attack: whoever claims all that is open and reveals nothing made the
// network open its targets anew in every block, for 1,000 shannons each, and every claim kept the
// point of its target in memory.
TEST_CASE(
    "attack: claims that are never revealed fill the memory: a bounded number, without points") {
  const person owner = somebody(1), claimer = somebody(2);
  auto genesis = small_genesis(1, std::vector{owner, claimer});
  genesis.parameters.initial_targets = genesis.parameters.hits_wanted = 10;
  network net(genesis);
  static_cast<void>(net.active_models(owner, 1));
  const auto chain = net.chain_now();
  const auto all = chain.epoch_emission.value * 8 / 10;
  const auto money = net.balance(claimer);
  std::uint64_t claims = 0, number = 100;
  for (int i = 0; i < 990; ++i) {
    for (const auto& target : net.open_targets()) {
      net.send(claimer, submission_for(target, claimer, number += 10).claim);
      ++claims;
    }
    net.block(1);
    for (const auto& outcome : net.last.outcomes) CHECK(!outcome.reason);
  }
  CHECK(claims == rules::most_standing * rules::pot_parts(net.genesis.parameters));
  // One slice of 20 parts: a target is worth at least a part in 160 of what the epoch emits.
  CHECK(rules::least_reward(net.genesis.parameters, chain).value == all / 160);
  CHECK(money - net.balance(claimer) >= claims * (all / 160));
  for (const auto& [key, value] : net.state.rows()) {
    if (static_cast<ledger_table>(key[0]) != ledger_table::target) continue;
    const auto row = decode<target_row>(value).value();
    CHECK(row.point.empty() == (row.status != target_status::open));
  }
}

}  // namespace
}  // namespace soma::test
