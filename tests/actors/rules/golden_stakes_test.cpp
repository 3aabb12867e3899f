// The staking scenarios of the reference implementation under our rules. Tests pay rewards of any
// size by hand: the end of an epoch is its four steps that touch stakes.
//
// Where ours differ from the reference:
//   - Power is stake, where the reference caps it; a test that needs four even powers sets a cap.
//   - A deposit becomes shares after the rewards of its epoch, at the price of then; a withdrawal
//     is burned then too, so it earns in the epoch in which it was asked for (the reference uses
//     the price at the epoch's start for both), and it is paid out two epochs later.
//   - A commission is money in the owner's balance, not new stake.
//   - Shares are kept, not principals: a holder withdraws as many as it likes.
#include <doctest/doctest.h>

#include "actors/rules/committee.hpp"
#include "actors/rules/pools.hpp"
#include "actors/rules/staking.hpp"
#include "tests/actors/rules/network.hpp"

namespace soma::test {
namespace {

struct stakes_world {
  /// Validators with these stakes in SOMA, in order of their addresses.
  explicit stakes_world(const std::vector<std::uint64_t>& stakes_soma) {
    std::vector<person> people;
    for (std::size_t i = 0; i < stakes_soma.size(); ++i) people.push_back(validator_person(i));
    std::sort(people.begin(), people.end(),
              [](const auto& x, const auto& y) { return x.where() < y.where(); });
    genesis.name = "stakes";
    genesis.parameters.architecture = {1, test_dim, 1, 4, 8};
    genesis.parameters.min_validator_stake = {shannons_per_soma};
    genesis.parameters.max_commission_step_bps = 10'000;
    for (std::size_t i = 0; i < people.size(); ++i) {
      genesis.validators.push_back({people[i].key, {soma_coins(stakes_soma[i])}});
      v.push_back(people[i].where());
    }
    for (const auto who : {a, b, c, d}) genesis.accounts.push_back({who, {soma_coins(10'000)}});
    REQUIRE(!rules::check_genesis(genesis));
    rows.apply(rules::genesis_rows(genesis));
  }
  /// One epoch of one block: the transactions of `act`, then rewards of so many shannons.
  template <class Act>
  void epoch(std::uint64_t reward_shannons, Act act) {
    ledger::block_state state(rows);
    rules::block_run run{state, genesis.parameters, state.chain().height.next()};
    state.update_chain([&](chain_row& chain) { chain.height = run.height; });
    rules::count_signatures(run, v);
    act(run);
    state.must_move(rules::of(rules::pot::unissued), rules::of(rules::pot::validator_pay),
                    {reward_shannons});
    rules::reward_validators(run);
    rules::settle_stakes(run);
    rules::change_commissions(run, {});
    rules::seat_next_committee(run);
    state.update_chain([&](chain_row& chain) {
      chain.epoch = chain.epoch.next();
      chain.epoch_first_block = run.height.next();
    });
    rows.apply(state.changes());
    REQUIRE(ledger::supply_is_whole(rows));
  }
  void advance(std::uint64_t reward_soma) {
    epoch(soma_coins(reward_soma), [](rules::block_run&) {});
  }
  static void deposit(rules::block_run& run, const address& who, const address& pool,
                      std::uint64_t amount_soma) {
    REQUIRE(!rules::add_stake(run, who, {pool, {soma_coins(amount_soma)}}));
  }
  static void withdraw(rules::block_run& run, const address& who, const address& pool,
                       std::uint64_t shares) {
    REQUIRE(!rules::withdraw_stake(run, who, {pool, shares}));
  }

  [[nodiscard]] stake_pool pool(std::size_t i) const {
    return ledger::read_validator(rows, v[i])->pool;
  }
  [[nodiscard]] std::uint64_t stake(std::size_t i) const { return pool(i).stake.value; }
  [[nodiscard]] std::uint64_t own(std::size_t i) const { return rules::own_stake(pool(i)).value; }
  [[nodiscard]] std::uint64_t others(std::size_t i) const { return stake(i) - own(i); }
  [[nodiscard]] std::uint64_t shares(const address& who, std::size_t i) const {
    const auto row = ledger::read_stake(rows, {v[i], who});
    return row ? row->shares : 0;
  }
  [[nodiscard]] std::uint64_t balance(const address& who) const {
    return ledger::read_account(rows, who)->balance.value;
  }

  soma::genesis genesis;
  memory_state rows;
  std::vector<address> v;
  address a = id_from<address>(1), b = id_from<address>(2), c = id_from<address>(3),
          d = id_from<address>(4);
};

constexpr std::uint64_t one = shannons_per_soma;
constexpr std::uint64_t start = 10'000 * one;

TEST_CASE("the reference's validator rewards: a hundred SOMA over four, by stake") {
  stakes_world w({100, 200, 300, 400});
  w.advance(0);
  w.advance(100);  // the reference, whose cap is 3000: 115, 225, 330, 430
  CHECK(w.stake(0) == 110 * one);
  CHECK(w.stake(1) == 220 * one);
  CHECK(w.stake(2) == 330 * one);
  CHECK(w.stake(3) == 440 * one);
  w.epoch(0, [&](auto& run) { w.deposit(run, w.a, w.v[1], 720); });
  w.advance(100);  // powers of 110, 940, 330 and 440: 604, 5165, 1813 and 2418
  CHECK(w.stake(0) == 116'040'000'000);
  CHECK(w.stake(1) == 991'650'000'000);
  CHECK(w.stake(2) == 348'130'000'000);
  CHECK(w.stake(3) == 464'180'000'000);
  // 200 own shares of 220 SOMA: 720 SOMA buy 720 * 200 / 220 = 654.5454... shares.
  CHECK(w.shares(w.a, 1) == 654'545'454'545);
  CHECK(w.own(1) == 232'088'297'872);  // 991.65 * 200 / 854.5454... = 232.088297872...
}

TEST_CASE("the reference's subsidies, a thousandth as large: our supply ends at ten million") {
  stakes_world w({100'000, 200'000, 300'000, 400'000});
  w.advance(0);
  w.advance(100);
  for (std::size_t i = 0; i < 4; ++i) CHECK(w.stake(i) == (i + 1) * (100'000 + 10) * one);
}

TEST_CASE("the reference's twenty validators earn in proportion to the shannon") {
  std::vector<std::uint64_t> stakes;
  for (std::uint64_t i = 0; i < 20; ++i) stakes.push_back(481 + 2 * i);
  stakes_world w(stakes);
  w.advance(10'000);
  for (std::uint64_t i = 0; i < 20; ++i) CHECK(w.stake(i) == (962 + 4 * i) * one);
}

TEST_CASE("the reference's stake rewards: deposits and withdrawals around rewards") {
  stakes_world w({100, 200, 300, 300});
  w.epoch(0, [&](auto& run) {
    w.deposit(run, w.a, w.v[0], 200);
    w.deposit(run, w.b, w.v[1], 100);
  });
  w.advance(120);  // thirty each, since each pool has 300
  CHECK(w.own(0) == 110 * one);
  CHECK(w.own(1) == 220 * one);
  CHECK(w.own(2) == 330 * one);
  CHECK(w.own(3) == 330 * one);
  // A leaves and C joins at the price after thirty more: 360 SOMA for 300 shares.
  w.epoch(120 * one, [&](auto& run) {
    w.withdraw(run, w.a, w.v[0], 200 * one);
    w.deposit(run, w.c, w.v[0], 600);
  });
  CHECK(w.shares(w.a, 0) == 0);
  CHECK(w.shares(w.c, 0) == 500 * one);
  CHECK(w.own(0) == 120 * one);
  CHECK(w.stake(0) == 720 * one);
  CHECK(w.own(1) == 240 * one);
  CHECK(w.balance(w.a) == start - 200 * one);
  // Of forty the first pool has 720 of 1,800 parts.
  w.epoch(40 * one, [&](auto& run) { w.withdraw(run, w.b, w.v[1], 100 * one); });
  CHECK(w.balance(w.a) == start - 200 * one);
  w.epoch(0, [&](auto& run) { w.withdraw(run, w.c, w.v[0], 500 * one); });
  CHECK(w.balance(w.a) == start + 40 * one);  // 240 for 200 shares, two epochs after A left
  w.advance(0);
  CHECK(w.balance(w.b) == start - 100 * one + 122'666'666'666);  // 368 * 100 / 300
  w.advance(0);
  CHECK(w.balance(w.c) == start - 600 * one + 613'333'333'333);  // 736 * 500 / 600
  CHECK(w.stake(0) == 122'666'666'667);  // the odd shannon stays with the pool
  CHECK(w.stake(1) == 245'333'333'334);
}

TEST_CASE("the reference's commissions: ours go to the owner's balance") {
  stakes_world w({100, 100, 200, 200});
  w.genesis.parameters.max_power = {2'500};  // four pools that differ little have even powers
  w.epoch(0, [&](auto& run) {
    w.deposit(run, w.a, w.v[0], 100);
    w.deposit(run, w.b, w.v[1], 100);
  });
  w.epoch(0, [&](auto& run) { REQUIRE(!rules::set_commission(run, w.v[1], {w.v[1], 2'000})); });
  w.advance(120);  // thirty each; the owner of the second takes six of them
  CHECK(w.others(0) == 115 * one);
  CHECK(w.own(0) == 115 * one);
  CHECK(w.stake(1) == 224 * one);
  CHECK(w.others(1) == 112 * one);
  CHECK(w.balance(w.v[1]) == 6 * one);
  CHECK(w.stake(2) == 230 * one);
  CHECK(w.stake(3) == 230 * one);
  // A commission that is set in the epoch of a reward holds from the next epoch on.
  w.epoch(240 * one, [&](auto& run) {
    REQUIRE(!rules::set_commission(run, w.v[0], {w.v[0], 1'000}));
  });
  CHECK(w.stake(0) == 290 * one);
  CHECK(w.balance(w.v[0]) == 0);
  CHECK(w.stake(1) == 272 * one);
  CHECK(w.balance(w.v[1]) == 18 * one);
  w.advance(240);
  CHECK(w.stake(0) == 344 * one);
  CHECK(w.balance(w.v[0]) == 6 * one);
}

// Protocol §4.6.
TEST_CASE("the reference's many rewards: prices 1.1, 1.2, 1.3 and 1.4") {
  stakes_world w({100});  // a lone validator is paid all
  const auto turn = [&](std::uint64_t reward,
                        std::vector<std::pair<address, std::uint64_t>> deposits) {
    w.epoch(reward * one, [&](auto& run) {
      for (const auto& [who, amount] : deposits) w.deposit(run, who, w.v[0], amount);
    });
  };
  turn(10, {{w.a, 220}});  // 110 for 100 shares
  CHECK(w.shares(w.a, 0) == 200 * one);
  turn(30, {{w.b, 480}});  // 360 for 300
  CHECK(w.shares(w.b, 0) == 400 * one);
  turn(70, {{w.a, 130}, {w.c, 390}});  // 910 for 700
  CHECK(w.shares(w.a, 0) == 300 * one);
  CHECK(w.shares(w.c, 0) == 300 * one);
  turn(110, {{w.c, 280}, {w.d, 1'400}});  // 1540 for 1100
  CHECK(w.shares(w.c, 0) == 500 * one);
  CHECK(w.shares(w.d, 0) == 1'000 * one);
  CHECK(w.pool(0) == stake_pool{{3'220 * one}, 2'300 * one, 100 * one});
  w.epoch(0, [&](auto& run) {
    w.withdraw(run, w.a, w.v[0], 300 * one);
    w.withdraw(run, w.b, w.v[0], 400 * one);
    w.withdraw(run, w.c, w.v[0], 500 * one);
    w.withdraw(run, w.d, w.v[0], 1'000 * one);
  });
  const unbonding_batch waiting{{6}, {3'080 * one}, {3'080 * one}};
  CHECK(w.pool(0) == stake_pool{{140 * one}, 100 * one, 100 * one, {waiting}});
  w.advance(0);
  w.advance(0);
  CHECK(w.balance(w.a) == start - 350 * one + 420 * one);
  CHECK(w.balance(w.b) == start - 480 * one + 560 * one);
  CHECK(w.balance(w.c) == start - 670 * one + 700 * one);
  CHECK(w.balance(w.d) == start);
}

TEST_CASE(
    "the reference's delegation: a holder that stays in a pool that left earns nothing more") {
  stakes_world w({100, 200});
  w.epoch(0, [&](auto& run) { w.deposit(run, w.a, w.v[0], 100); });
  w.advance(80);  // forty each
  CHECK(w.others(0) == 120 * one);
  w.epoch(0, [&](auto& run) { REQUIRE(!rules::leave_committee(run, w.v[0])); });
  w.advance(80);
  CHECK(w.stake(0) == 240 * one);
  CHECK(w.stake(1) == 320 * one);  // a single validator has all of the power
  w.epoch(0, [&](auto& run) { w.withdraw(run, w.a, w.v[0], 100 * one); });
  CHECK(w.stake(0) == 120 * one);
  w.advance(0);
  w.advance(0);
  CHECK(w.balance(w.a) == start + 20 * one);
}

TEST_CASE("the reference's exchange rates: 200 to 200, then 210 to 200") {
  stakes_world w({200, 100});
  w.epoch(0, [&](auto& run) { w.deposit(run, w.a, w.v[1], 100); });
  CHECK(w.pool(1) == stake_pool{{200 * one}, 200 * one, 100 * one});
  w.advance(20);
  CHECK(w.pool(1) == stake_pool{{210 * one}, 200 * one, 100 * one});
}

// Protocol §5.8.
TEST_CASE("floors: rewards that do not divide leave their shannons to the next targets") {
  stakes_world w({100, 100, 100});
  w.epoch(100, [](auto&) {});
  // 3334, 3333 and 3333 of 10000: 33.34, 33.33 and 33.33.
  for (std::size_t i = 0; i < 3; ++i) CHECK(w.stake(i) == 100 * one + 33);
  CHECK(ledger::read_chain(w.rows).target_pot.value == 1);
}

}  // namespace
}  // namespace soma::test
