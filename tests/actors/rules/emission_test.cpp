// Protocol §3 and §7 in the long run: the emission, the pot of the targets and the difficulty.
#include <doctest/doctest.h>

#include <cmath>

#include "actors/rules/difficulty.hpp"
#include "actors/rules/emission.hpp"
#include "actors/rules/epoch.hpp"
#include "tests/actors/rules/network.hpp"

namespace soma::test {
namespace {

/// A network's money alone: time passes, targets open and are hit, nothing is drawn or signed.
struct pot_world {
  genesis_parameters p;
  memory_state rows;
  ledger::block_state state;
  rules::block_run run;
  std::uint64_t time_ms = 0;
  std::vector<shannons> open;  // the rewards of targets that stand open
  address winner = id_from<address>(1);

  explicit pot_world(const genesis_parameters& with)
      : p(with), rows(rows_of(with)), state(rows), run{state, p, {1}} {}

  static memory_state rows_of(const genesis_parameters& with) {
    auto genesis = small_genesis(1, {});
    genesis.start_ms = 0;
    genesis.parameters = with;
    memory_state made;
    made.apply(rules::genesis_rows(genesis));
    return made;
  }
  static genesis_parameters a_day() {
    genesis_parameters p;
    p.architecture = {1, test_dim, 1, 4, 8};
    return p;
  }
  [[nodiscard]] const chain_row& chain() const { return state.chain(); }
  [[nodiscard]] std::uint64_t pot() const { return chain().target_pot.value; }

  /// One target opens, if the pot allows it.
  bool open_one() {
    state.update_chain([](chain_row& c) { c.targets_waiting = 1; });
    const auto draws = rules::pay_for_targets(run);
    for (const auto& draw : draws) open.push_back(draw.reward);
    return !draws.empty();
  }
  /// One is hit and replaced. What it paid.
  shannons hit() {
    const auto reward = open.back();
    open.pop_back();
    state.must_move(rules::of(ledger::pot::set_aside), ledger::balance_of(winner), reward);
    state.update_chain([](chain_row& c) {
      ++c.hits;
      ++c.slice_hits;
    });
    open_one();
    return reward;
  }
  void pass(std::uint64_t ms) {
    time_ms += ms;
    rules::flow_into_pot(run, time_ms);
    rules::end_slices(run, time_ms, !open.empty());
  }
  /// The end of an epoch as far as it is about this money: open targets expire, validators are
  /// paid.
  void end_epoch() {
    for (const auto reward : open)
      state.must_move(rules::of(ledger::pot::set_aside), rules::of(ledger::pot::targets), reward);
    open.clear();
    const auto split = rules::split_emission(chain().epoch_emission, p.target_share_bps);
    REQUIRE(chain().flowed == split.targets);
    state.must_move(rules::of(ledger::pot::unissued), ledger::balance_of(winner), split.validators);
    rules::return_excess(run);
    state.update_chain([&](chain_row& c) {
      c.epoch = c.epoch.next();
      c.epoch_start_ms = time_ms;
      c.hits = c.slices_done = 0;
    });
    rules::begin_emission(run);
    for (std::uint32_t i = 0; i < p.initial_targets; ++i) open_one();
    state.commit();
    run.events.clear();
    REQUIRE(ledger::total_of(chain()) == supply_cap);
  }
};

// Protocol §3.5.
TEST_CASE("slices and parts of the pot follow from the hits that are wanted") {
  genesis_parameters p;
  CHECK(rules::slices_of(p) == 24);
  CHECK(rules::pot_parts(p) == 3'600);
  p.hits_wanted = 100;
  CHECK(rules::slices_of(p) == 6);
  CHECK(rules::pot_parts(p) == 200);  // twice the initial targets
  p.hits_wanted = 1;
  p.initial_targets = 0;
  CHECK(rules::slices_of(p) == 1);
  CHECK(rules::pot_parts(p) == 1);
}

// Protocol §3.4.
TEST_CASE("emission flows into the pot with time, whatever the blocks, and all of it by the end") {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    CAPTURE(seed);
    dice d{seed};
    auto p = pot_world::a_day();
    p.epoch_ms = 1 + d.below(100'000);
    pot_world w(p);
    const auto all = rules::split_emission(w.chain().epoch_emission, p.target_share_bps).targets;
    while (w.time_ms < p.epoch_ms) {
      w.pass(1 + d.below(1 + p.epoch_ms / 7));
      const auto elapsed = std::min(w.time_ms, p.epoch_ms);
      const auto due = static_cast<unsigned __int128>(all.value) * elapsed / p.epoch_ms;
      CHECK(w.pot() == static_cast<std::uint64_t>(due));
      CHECK(w.chain().flowed.value == w.pot());
    }
    CHECK(w.chain().flowed == all);
  }
}

// The attack: the budget of a day was gone in 864 blocks, and 32 idle days waited for one rush.
TEST_CASE("attack: a rush takes at most 63 % of the pot in W hits, and each hit pays no more") {
  for (const bool idle : {false, true}) {
    CAPTURE(idle);
    auto p = pot_world::a_day();
    p.hits_wanted = 8'640;
    p.initial_targets = 10;
    pot_world w(p);
    for (int day = 0; day < 32; ++day) {
      for (int slice = 0; slice < 24; ++slice) {
        w.pass(3'600'000);
        for (int i = 0; i < 360 && !idle && !w.open.empty(); ++i) w.hit();
      }
      w.end_epoch();
    }
    const auto emission = w.chain().epoch_emission.value;
    CHECK(w.pot() <= emission);  // however long nobody came
    const auto before = w.pot();
    auto last = w.open.back();
    std::uint64_t paid = 0;
    for (std::uint64_t i = 0; i < rules::pot_parts(w.p); ++i) {
      const auto reward = w.hit();
      if (i >= w.p.initial_targets) {
        CHECK(reward <= last);
        last = reward;
      }
      paid += reward.value;
    }
    CHECK((before - w.pot()) * 1'000 <= before * 633);
    CHECK((before - w.pot()) * 1'000 >= before * 630);
    // In the steady state the pot holds what an hour and a half emits.
    if (!idle) CHECK(paid * 10 < emission);
  }
}

/// How many of these tries come within the radius, if distances are spread as those of random
/// directions.
double hit_rate(double tries, std::int64_t difficulty_ppm) {
  return tries * std::erfc(static_cast<double>(difficulty_ppm) / 1e6 / std::sqrt(2.0)) / 2;
}

// Protocol §7.9 and §7.10. The attack: z only ever fell, although every target was hit.
TEST_CASE("difficulty finds the wanted rate from ten times too easy and too hard in two epochs") {
  for (const std::uint64_t wanted : {96ull, 400ull, 86'400ull}) {
    for (const double from : {0.1, 0.5, 1.0, 2.0, 10.0}) {
      CAPTURE(wanted);
      CAPTURE(from);
      const auto slices = std::clamp<std::uint64_t>(wanted / 16, 1, 24);
      const double want = static_cast<double>(wanted) / static_cast<double>(slices);
      std::int64_t z = 2'000'000;
      const double tries = from * want / hit_rate(1, z);
      double rest = 0;
      double rate = 0;
      for (std::uint64_t slice = 0; slice < 2 * slices; ++slice) {
        rate = hit_rate(tries, z) + rest;
        const auto hits = static_cast<std::uint64_t>(rate);
        rest = rate - static_cast<double>(hits);
        z = rules::next_difficulty(z, rules::difficulty_step(hits, 1, slices, wanted), 2'048);
      }
      const double now = hit_rate(tries, z) / want;
      CHECK(now > 0.7);
      CHECK(now < 1.4);
    }
  }
}

TEST_CASE("the difficulty stays where nothing can be hit, and falls where nothing is") {
  auto p = pot_world::a_day();
  p.architecture.dim = 2'048;
  pot_world w(p);
  for (int slice = 0; slice < 24; ++slice) w.pass(3'600'000);
  CHECK(w.chain().difficulty_ppm == p.difficulty_start_ppm);
  w.end_epoch();
  for (int slice = 0; slice < 24; ++slice) w.pass(3'600'000);
  CHECK(w.chain().difficulty_ppm == p.difficulty_start_ppm - 24 * 300'000);
}

// Protocol §3.2 to §3.6.
TEST_CASE("in a thousand epochs everything is emitted, and the pot neither starves nor floods") {
  for (std::uint64_t seed = 0; seed < 2; ++seed) {
    CAPTURE(seed);
    dice d{seed};
    auto p = pot_world::a_day();
    p.architecture.dim = 2'048;
    p.emission_epochs = 1'000;
    p.hits_wanted = 400;
    p.initial_targets = 8;
    const auto slices = rules::slices_of(p);
    pot_world w(p);
    const auto all = w.chain().unissued.value;
    // From ten times too hard to ten times too easy, and it changes all the time.
    double skill = std::pow(10.0, static_cast<double>(d.below(200)) / 100 - 1);
    std::uint64_t emitted = 0, returned = 0, hits = 0;
    for (std::uint64_t epoch = 0; epoch < 1'000; ++epoch) {
      const auto emission = w.chain().epoch_emission.value;
      const auto before = w.chain().unissued.value;
      for (std::uint64_t block = 0; block < slices * 4; ++block) {
        w.pass(p.epoch_ms / (slices * 4) + 1);
        const auto tries = hit_rate(100, -2'000'000) * skill;
        auto come =
            hit_rate(tries, w.chain().difficulty_ppm) * static_cast<double>(d.below(100)) / 50;
        for (; come >= 1 && !w.open.empty(); --come, ++hits) w.hit();
      }
      w.end_epoch();
      emitted += emission;
      const auto back = w.chain().unissued.value + emission - before;
      returned += back;
      CHECK(w.pot() <= emission);
      if (epoch > 2 && epoch < 990) {
        CHECK(back == 0);                           // nothing floods
        CHECK(w.open.size() == p.initial_targets);  // nothing starves
        CHECK(w.pot() > emission / (8 * slices));
        CHECK(w.pot() < emission / 2);
      }
      if (d.chance(2)) skill *= d.chance(50) ? 2 : 0.5;
      skill = std::clamp(skill, 0.1, 10.0);
    }
    CHECK(emitted - returned + w.chain().unissued.value == all);
    CHECK(w.chain().unissued.value == returned);
    CHECK(hits > 300'000);
    CHECK(hits < 500'000);
  }
}

// Protocol §3.2 and §3.6.
TEST_CASE("what nobody hits comes back, is emitted later, and is never lost") {
  auto p = pot_world::a_day();
  p.emission_epochs = 1'000;
  pot_world w(p);
  const auto first = w.chain().epoch_emission.value;
  for (int epoch = 0; epoch < 1'500; ++epoch) {
    w.pass(p.epoch_ms);
    const auto emission = w.chain().epoch_emission;
    w.end_epoch();
    CHECK(w.pot() <= emission.value);
  }
  // The validators have a fifth of each emission; the pot holds what is left, and pays on.
  CHECK(w.chain().balances.value > first * 200);
  REQUIRE(ledger::total_of(w.chain()) == supply_cap);
}

// Protocol §3.2, through whole blocks.
TEST_CASE("a network whose targets are hit emits all of its pool, block by block") {
  const std::vector people{somebody(1), somebody(2)};
  auto genesis = small_genesis(1, people);
  genesis.parameters.emission_epochs = 12;
  genesis.parameters.bond_reward_divisor = 1'000'000;  // rewards are larger than any balance
  network net(genesis);
  (void)net.active_models(people[0], 2);
  std::uint64_t number = 1;
  std::uint64_t emitted = 0, back = 0;
  const auto start = net.chain_now().unissued.value;
  while (net.chain_now().epoch.value < 12) {
    for (int hit = 0; hit < 9; ++hit) {
      const auto s = submission_for(net.open_targets().front(), people[1], number += 10);
      CHECK(!net.run(people[1], s.claim));
      CHECK(!net.run(people[1], s.reveal));
      CHECK(!net.run(validator_person(900),
                     tx::vote_on_submission{s.claim.target, audit_verdict::ok}));
    }
    CHECK(net.chain_now().hits == 9);
    net.end_epoch();
    const auto released = net.events(event_kind::emission_released);
    REQUIRE(released.size() == 1);
    emitted += released[0].amount.value + released[0].detail;
    for (const auto& e : net.events(event_kind::emission_returned)) back += e.amount.value;
  }
  CHECK(start == emitted - back + net.chain_now().unissued.value);
  CHECK(net.chain_now().unissued.value <= net.chain_now().target_pot.value);
}

}  // namespace
}  // namespace soma::test
