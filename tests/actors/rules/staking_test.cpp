// Protocol §4 through blocks: deposits, withdrawals, commissions, and pools after a slash.
#include <doctest/doctest.h>

#include "actors/rules/pools.hpp"
#include "tests/actors/rules/network.hpp"

namespace soma::test {
namespace {

using rules::refusal;
constexpr std::uint64_t one = shannons_per_soma;

/// One validator with 1,000 SOMA that earns exactly 1,000 SOMA per epoch, while targets get
/// nothing: 10,000,000 - 2 * 100,000 - 1,000 SOMA over 9,799 epochs.
struct mint {
  person alice = somebody(1), bob = somebody(2), validator = validator_person(900);
  network net;
  pool_owner pool = validator.where();

  explicit mint(const genesis& with) : net(with) {}
  mint() : mint(birth()) {}
  static genesis birth() {
    auto genesis = small_genesis(1, std::vector{somebody(1), somebody(2)});
    genesis.parameters.emission_epochs = 9'799;
    genesis.parameters.target_share_bps = 0;
    genesis.parameters.fee_multiplier_max_ppm = 1'000'000;  // fees do not change
    genesis.parameters.fee_multiplier_min_ppm = 1'000'000;
    return genesis;
  }
  /// A genesis in which a shannon is enough for a deposit.
  static genesis tiny() {
    auto genesis = birth();
    genesis.parameters.min_model_stake = {1};
    return genesis;
  }
  /// A genesis without emission to validators, so that pools change by deposits alone.
  static genesis quiet() {
    auto genesis = birth();
    genesis.parameters.target_share_bps = 10'000;
    return genesis;
  }
  [[nodiscard]] stake_pool pool_now() const { return net.validator(validator).pool; }
  /// A model of bob with a stake of its own, which waits for its reveal.
  model_plan model(std::uint64_t stake_shannons) {
    auto plan = network::plan(1);
    net.commit(bob, plan, stake_shannons);
    net.block();
    REQUIRE(!net.last.outcomes[0].reason);
    return plan;
  }
  [[nodiscard]] stake_pool pool_of(const model_id& id) const {
    return ledger::read_model(net.state, id)->pool;
  }
};

// Protocol §4.3 and §4.5.
TEST_CASE("a deposit waits for the end of the epoch and becomes shares at that epoch's price") {
  mint w;
  const auto before = w.net.balance(w.alice);
  CHECK(!w.net.run(w.alice, tx::add_stake{w.pool, {3'000 * one}}));
  // The fee for three rows (the account, the position, its place on the agenda) and a thousandth of
  // the amount.
  const std::uint64_t fee = 1'000 + 3 * 300 + 3 * one;
  CHECK(w.net.last.outcomes[0].fee.value == fee);
  CHECK(w.net.balance(w.alice) == before - 3'000 * one - fee);
  CHECK(w.net.chain_now().joining.value == 3'000 * one);
  CHECK(w.pool_now() == stake_pool{{1'000 * one}, 1'000 * one, 1'000 * one});
  REQUIRE(w.net.events(event_kind::stake_added).size() == 1);
  CHECK(w.net.events(event_kind::stake_added)[0].amount.value == 3'000 * one);
  CHECK(w.net.events(event_kind::stake_added)[0].account == w.alice.where());
  CHECK(w.net.events(event_kind::stake_added)[0].other == w.validator.where());
  CHECK(!w.net.run(w.alice, tx::add_stake{w.pool, {1'000 * one}}));
  CHECK(w.net.stake(w.alice, w.pool).joining.value == 4'000 * one);
  w.net.end_epoch();
  // The epoch's reward comes first: then 1,000 shares are worth 2,000 SOMA, and 4,000 SOMA buy
  // 2,000.
  CHECK(w.pool_now() == stake_pool{{6'000 * one}, 3'000 * one, 1'000 * one});
  CHECK(w.net.stake(w.alice, w.pool) == stake_row{2'000 * one, {}, 0, {}});
  CHECK(w.net.chain_now().joining.value == 0);
  REQUIRE(w.net.events(event_kind::stake_joined).size() == 1);
  CHECK(w.net.events(event_kind::stake_joined)[0].amount.value == 4'000 * one);
  CHECK(w.net.events(event_kind::stake_joined)[0].detail == 2'000 * one);
}

// Protocol §4.6.
TEST_CASE("rewards raise the price and make no shares") {
  mint w;
  for (std::uint64_t e = 1; e <= 5; ++e) {
    w.net.end_epoch();
    CHECK(w.pool_now() == stake_pool{{(1 + e) * 1'000 * one}, 1'000 * one, 1'000 * one});
  }
}

// Protocol §4.5.
TEST_CASE(
    "shares withdrawn from a validator are burned at the epoch's end and paid two epochs later") {
  mint w;
  CHECK(!w.net.run(w.alice, tx::add_stake{w.pool, {3'000 * one}}));
  w.net.end_epoch();  // 5,000 SOMA, 2,500 shares: 2 each
  w.net.end_epoch();  // 6,000
  CHECK(!w.net.run(w.alice, tx::withdraw_stake{w.pool, 500 * one}));
  CHECK(w.net.last.outcomes[0].fee.value == 1'000 + 3 * 300);
  REQUIRE(w.net.events(event_kind::stake_withdrawn).size() == 1);
  CHECK(w.net.events(event_kind::stake_withdrawn)[0].detail == 500 * one);
  CHECK(w.pool_now().shares == 2'500 * one);
  CHECK(w.net.stake(w.alice, w.pool).leaving_shares == 500 * one);
  const auto before = w.net.balance(w.alice);
  w.net.end_epoch();  // 7,000 for 2,500: 2.8 each. This is the end of epoch 2.
  const unbonding_batch waiting{{4}, {1'400 * one}, {1'400 * one}};
  CHECK(w.pool_now() == stake_pool{{5'600 * one}, 2'000 * one, 1'000 * one, {waiting}});
  CHECK(w.net.chain_now().unbonding.value == 1'400 * one);
  CHECK(w.net.stake(w.alice, w.pool) == stake_row{1'000 * one, {}, 0, {{{1'400 * one}, {4}}}});
  REQUIRE(w.net.events(event_kind::stake_left).size() == 1);
  CHECK(w.net.events(event_kind::stake_left)[0].detail == 4);
  w.net.end_epoch();  // the end of epoch 3
  CHECK(w.net.balance(w.alice) == before);
  w.net.end_epoch();  // the end of epoch 4
  CHECK(w.net.balance(w.alice) == before + 1'400 * one);
  CHECK(w.net.chain_now().unbonding.value == 0);
  CHECK(w.net.stake(w.alice, w.pool) == stake_row{1'000 * one, {}, 0, {}});
  REQUIRE(w.net.events(event_kind::stake_paid_out).size() == 1);
  CHECK(w.net.events(event_kind::stake_paid_out)[0].amount.value == 1'400 * one);
}

TEST_CASE("a withdrawal from a model is paid one epoch later") {
  mint w;
  const auto model = w.model(2 * one);
  CHECK(!w.net.run(w.alice, tx::add_stake{model.id, {5 * one}}));
  w.net.end_epoch();
  CHECK(w.pool_of(model.id) == stake_pool{{7 * one}, 7 * one, 2 * one});
  CHECK(!w.net.run(w.alice, tx::withdraw_stake{model.id, 3 * one}));
  const auto before = w.net.balance(w.alice);
  CHECK(!w.net.run(w.bob, network::reveal_of(model)));
  w.net.end_epoch();
  CHECK(w.net.balance(w.alice) == before);
  CHECK(w.net.chain_now().unbonding.value == 3 * one);
  CHECK(!w.net.run(w.alice, tx::withdraw_stake{model.id, 2 * one}));
  const auto again = w.net.balance(w.alice);
  w.net.end_epoch();
  CHECK(w.net.balance(w.alice) == again + 3 * one);
  CHECK(w.net.chain_now().unbonding.value == 2 * one);
  w.net.end_epoch();
  CHECK(w.net.balance(w.alice) == again + 5 * one);
  // The position is empty, so its row is removed.
  CHECK(!ledger::read_stake(w.net.state, {model.id, w.alice.where()}));
}

TEST_CASE("a genesis may choose other times of unbonding") {
  auto genesis = mint::quiet();
  genesis.parameters.model_unbonding_epochs = 2;
  genesis.parameters.validator_unbonding_epochs = 3;
  mint w(genesis);
  const auto model = w.model(2 * one);
  CHECK(!w.net.run(w.alice, tx::add_stake{model.id, {5 * one}}));
  CHECK(!w.net.run(w.alice, tx::add_stake{w.pool, {7 * one}}));
  w.net.end_epoch();
  CHECK(!w.net.run(w.bob, network::reveal_of(model)));
  CHECK(!w.net.run(w.alice, tx::withdraw_stake{model.id, 5 * one}));
  CHECK(!w.net.run(w.alice, tx::withdraw_stake{w.pool, 7 * one}));
  const auto before = w.net.balance(w.alice);
  w.net.end_epoch();
  w.net.end_epoch();
  CHECK(w.net.balance(w.alice) == before);
  w.net.end_epoch();
  CHECK(w.net.balance(w.alice) == before + 5 * one);
  w.net.end_epoch();
  CHECK(w.net.balance(w.alice) == before + 12 * one);
}

TEST_CASE("withdrawals of several epochs wait side by side, each for its own epoch") {
  mint w(mint::quiet());
  CHECK(!w.net.run(w.alice, tx::add_stake{w.pool, {100 * one}}));
  w.net.end_epoch();
  auto expected = w.net.balance(w.alice);
  for (std::uint64_t e = 1; e <= 6; ++e) {
    CHECK(!w.net.run(w.alice, tx::withdraw_stake{w.pool, e * one}));
    // From the third withdrawal on the position is already on the epoch's agenda for its payment.
    expected -= e < 3 ? 1'900 : 1'600;
    w.net.end_epoch();
    if (e >= 3) expected += (e - 2) * one;
    CHECK(w.net.balance(w.alice) == expected);
    CHECK(w.net.stake(w.alice, w.pool).unbonding.size() == std::min<std::uint64_t>(e, 2));
  }
}

// Protocol §4.1.
TEST_CASE("floors favour the pool, a deposit below a share's price comes back") {
  mint w(mint::tiny());
  w.net.end_epoch();  // two shannons per share
  CHECK(!w.net.run(w.alice, tx::add_stake{w.pool, {7}}));
  CHECK(!w.net.run(w.bob, tx::add_stake{w.pool, {2}}));
  w.net.end_epoch();  // three per share: 7 shannons buy two, 2 buy none
  CHECK(w.net.stake(w.alice, w.pool).shares == 2);
  CHECK(w.pool_now() == stake_pool{{3'000 * one + 7}, 1'000 * one + 2, 1'000 * one});
  CHECK(!ledger::read_stake(w.net.state, {w.pool, w.bob.where()}));
  REQUIRE(w.net.events(event_kind::stake_returned).size() == 1);
  CHECK(w.net.events(event_kind::stake_returned)[0].account == w.bob.where());
  CHECK(w.net.events(event_kind::stake_returned)[0].amount.value == 2);
  CHECK(w.net.balance(w.bob) == 100'000 * one - 1'900);
  CHECK(w.net.chain_now().joining.value == 0);
  CHECK(!w.net.run(w.alice, tx::withdraw_stake{w.pool, 1}));
  w.net.end_epoch();  // four each and a little: floor((4000 SOMA + 7) / (1000 SOMA + 2)) = 3
  CHECK(w.net.chain_now().unbonding.value == 3);
  const unbonding_batch waiting{{4}, {3}, {3}};
  CHECK(w.pool_now() == stake_pool{{4'000 * one + 4}, 1'000 * one + 1, 1'000 * one, {waiting}});
}

// Protocol §4.1 and §4.2.
TEST_CASE("the last share takes all that is left, and an empty pool is founded anew") {
  auto genesis = mint::birth();
  genesis.validators.push_back({validator_person(901).key, {5'000 * one}});
  genesis.parameters.target_share_bps = 10'000;
  mint w(genesis);
  CHECK(!w.net.run(w.alice, tx::add_stake{w.pool, {10 * one}}));
  w.net.end_epoch();
  CHECK(w.net.run(w.validator, tx::leave_committee{}) == refusal::base_fee_unaffordable);
  CHECK(!w.net.run(w.alice, tx::transfer{w.validator.where(), {5'000 * one}}));
  CHECK(!w.net.run(w.validator, tx::leave_committee{}));
  CHECK(!w.net.run(w.validator, tx::withdraw_stake{w.pool, 1'000 * one}));
  CHECK(!w.net.run(w.alice, tx::withdraw_stake{w.pool, 10 * one}));
  w.net.end_epoch();
  const unbonding_batch of_alice{{3}, {10 * one}, {10 * one}};
  CHECK(w.pool_now() == stake_pool{{}, 0, 0, {of_alice}});
  CHECK(w.net.chain_now().unbonding.value == 1'010 * one);
  CHECK(w.net.power(w.validator) == 0);
  CHECK(w.net.run(w.validator, w.net.join_of(w.validator, key_of(900), 1'000 * one - 1)) ==
        refusal::stake_below_minimum);
  CHECK(!w.net.run(w.validator, w.net.join_of(w.validator, key_of(900), 2'000 * one)));
  // The stake joins at once, because there is no other holder whose price it could change.
  CHECK(w.pool_now() == stake_pool{{2'000 * one}, 2'000 * one, 2'000 * one, {of_alice}});
  CHECK(w.net.chain_now().joining.value == 0);
  w.net.end_epoch();
  CHECK(w.net.power(w.validator) == 2'857);
}

// Protocol §4.3.
TEST_CASE("deposits are refused by name") {
  mint w;
  const auto model = w.model(2 * one);
  CHECK(w.net.run(w.alice, tx::add_stake{w.alice.where(), {0}}) == refusal::amount_is_zero);
  CHECK(w.net.run(w.alice, tx::add_stake{w.alice.where(), {1}}) == refusal::pool_unknown);
  CHECK(w.net.run(w.alice, tx::add_stake{id_from<model_id>(4), {1}}) == refusal::pool_unknown);
  CHECK(w.net.run(w.alice, tx::add_stake{model.id, {one - 1}}) == refusal::deposit_too_small);
  CHECK(w.net.run(w.alice, tx::add_stake{model.id, {UINT64_MAX}}) == refusal::balance_too_low);
  CHECK(w.net.run(w.alice, tx::add_stake{model.id, {w.net.balance(w.alice)}}) ==
        refusal::fee_unaffordable);
  // The stake was locked, scheduled and noted before the fee was found to be missing. All of that
  // is undone.
  REQUIRE(w.net.last.events.size() == 1);
  CHECK(w.net.last.events[0].kind == event_kind::transaction_refused);
  CHECK(w.net.last.events[0].refusal == static_cast<std::uint16_t>(refusal::fee_unaffordable));
  CHECK(w.net.chain_now().joining.value == 0);
  CHECK(!ledger::read_stake(w.net.state, {model.id, w.alice.where()}));
  CHECK(!w.net.run(w.bob, tx::retire_model{model.id}));
  CHECK(w.net.run(w.alice, tx::add_stake{model.id, {1}}) == refusal::pool_closed);
  w.net.end_epoch();
  CHECK(w.net.run(w.alice, tx::add_stake{model.id, {1}}) == refusal::pool_closed);
}

// Protocol §4.5.
TEST_CASE("a deposit that waits while its pool closes comes back") {
  auto genesis = mint::quiet();
  genesis.validators.push_back({validator_person(901).key, {5'000 * one}});
  mint w(genesis);
  const auto model = w.model(2 * one);
  CHECK(!w.net.run(w.alice, tx::transfer{w.validator.where(), {one}}));
  const auto before = w.net.balance(w.alice);
  CHECK(!w.net.run(w.alice, tx::add_stake{model.id, {5 * one}}));
  CHECK(!w.net.run(w.alice, tx::add_stake{w.pool, {9 * one}}));
  CHECK(!w.net.run(w.bob, tx::retire_model{model.id}));
  CHECK(!w.net.run(w.validator, tx::leave_committee{}));
  CHECK(w.net.run(w.alice, tx::add_stake{w.pool, {1}}) == refusal::pool_closed);
  w.net.end_epoch();
  CHECK(w.net.balance(w.alice) == before - 1'900 - 5'000'000 - 1'900 - 9'000'000 - 1'000);
  CHECK(w.net.events(event_kind::stake_returned).size() == 2);
  CHECK(!ledger::read_stake(w.net.state, {model.id, w.alice.where()}));
  CHECK(w.pool_of(model.id).shares == 2 * one);
  CHECK(w.pool_now().shares == 1'000 * one);
}

// Protocol §4.4.
TEST_CASE("withdrawals are refused by name, and two withdrawals add up") {
  mint w;
  CHECK(!w.net.run(w.alice, tx::add_stake{w.pool, {10 * one}}));
  CHECK(w.net.run(w.alice, tx::withdraw_stake{w.bob.where(), 0}) == refusal::shares_are_zero);
  CHECK(w.net.run(w.alice, tx::withdraw_stake{w.bob.where(), 1}) == refusal::pool_unknown);
  CHECK(w.net.run(w.alice, tx::withdraw_stake{w.pool, 1}) == refusal::not_enough_shares);
  w.net.end_epoch();  // two per share, so five shares
  CHECK(w.net.stake(w.alice, w.pool).shares == 5 * one);
  CHECK(w.net.run(w.bob, tx::withdraw_stake{w.pool, 1}) == refusal::not_enough_shares);
  CHECK(w.net.run(w.alice, tx::withdraw_stake{w.pool, 5 * one + 1}) == refusal::not_enough_shares);
  CHECK(w.net.run(w.alice, tx::withdraw_stake{w.pool, UINT64_MAX}) == refusal::not_enough_shares);
  CHECK(!w.net.run(w.alice, tx::withdraw_stake{w.pool, 3 * one}));
  CHECK(w.net.run(w.alice, tx::withdraw_stake{w.pool, 2 * one + 1}) == refusal::not_enough_shares);
  CHECK(!w.net.run(w.alice, tx::withdraw_stake{w.pool, 2 * one}));
  w.net.end_epoch();
  CHECK(w.net.stake(w.alice, w.pool).shares == 0);
  CHECK(w.pool_now().shares == 1'000 * one);
}

TEST_CASE("a holder keeps nothing or the minimum, and what a slash has made small leaves whole") {
  mint w(mint::quiet());
  const auto model = w.model(2 * one);
  CHECK(!w.net.run(w.alice, tx::add_stake{w.pool, {3 * one}}));
  CHECK(!w.net.run(w.alice, tx::add_stake{model.id, {one}}));
  w.net.end_epoch();
  CHECK(w.net.run(w.alice, tx::withdraw_stake{w.pool, 2 * one + 1}) ==
        refusal::remainder_too_small);
  CHECK(!w.net.run(w.alice, tx::withdraw_stake{w.pool, one}));
  CHECK(w.net.run(w.alice, tx::withdraw_stake{w.pool, one + 1}) == refusal::remainder_too_small);
  CHECK(!w.net.run(w.alice, tx::withdraw_stake{w.pool, one}));
  CHECK(w.net.run(w.alice, tx::withdraw_stake{w.pool, 1}) == refusal::remainder_too_small);
  CHECK(!w.net.run(w.alice, tx::withdraw_stake{w.pool, one}));  // the rest
  w.net.end_epoch();
  // The model was not revealed. It loses half of 3 SOMA, which the owner's part covers.
  CHECK(w.pool_of(model.id) == stake_pool{{one * 3 / 2}, one * 3 / 2, one / 2});
  // The owner holds less than the minimum. It leaves whole, or not at all.
  CHECK(w.net.run(w.bob, tx::withdraw_stake{model.id, 1}) == refusal::remainder_too_small);
  CHECK(!w.net.run(w.bob, tx::withdraw_stake{model.id, one / 2}));
  CHECK(!w.net.run(w.alice, tx::withdraw_stake{model.id, one}));
  w.net.end_epoch();
  CHECK(w.pool_of(model.id) == stake_pool{{}, 0, 0, {{{3}, {one}, {one}}}});
}

// The attack: 2.6 million deposits of one shannon cost 10 SOMA in fees, and no view was long enough
// for the block that closed the epoch.
TEST_CASE("attack: an epoch's end full of deposits settles as many as there are SOMA in them") {
  constexpr std::uint64_t accounts = 200, money = 20;
  auto genesis = mint::quiet();
  genesis.accounts.clear();
  for (std::uint64_t i = 0; i < accounts; ++i) {
    genesis.accounts.push_back({somebody(100 + i).where(), {money * one / accounts}});
  }
  network net(genesis);
  const pool_owner pool = validator_person(900).where();
  const auto waiting = [&] {
    std::uint64_t positions = 0;
    for (const auto& [key, row] : net.state.rows()) positions += key[0] == 10 ? 1 : 0;
    return positions;
  };
  for (std::uint64_t i = 0; i < accounts; ++i)
    net.send(somebody(100 + i), tx::add_stake{pool, {1}});
  net.block();
  for (const auto& outcome : net.last.outcomes) CHECK(outcome.reason == refusal::deposit_too_small);
  CHECK(waiting() == 0);
  // Whoever puts the money of ten accounts into one has one position.
  for (std::uint64_t i = 0; i < accounts; ++i) {
    const auto into = somebody(100 + i / 11 * 11).where();
    if (i % 11 != 0)
      net.send(somebody(100 + i), tx::transfer{into, {money * one / accounts - one / 1'000}});
  }
  net.block();
  for (std::uint64_t i = 0; i < accounts; i += 11)
    net.send(somebody(100 + i), tx::add_stake{pool, {one}});
  net.block();
  CHECK(waiting() == 18);
  CHECK(waiting() * one <= money * one);
  net.end_epoch();
  CHECK(net.events(event_kind::stake_joined).size() == 18);
}

TEST_CASE("the owner of a model keeps the minimum until the model retires") {
  mint w;
  const auto model = w.model(4 * one);
  CHECK(w.net.run(w.bob, tx::withdraw_stake{model.id, 3 * one + 1}) == refusal::own_stake_needed);
  CHECK(!w.net.run(w.bob, tx::withdraw_stake{model.id, 2 * one}));
  CHECK(w.net.run(w.bob, tx::withdraw_stake{model.id, one + 1}) == refusal::own_stake_needed);
  CHECK(!w.net.run(w.bob, tx::withdraw_stake{model.id, one}));
  w.net.end_epoch();
  CHECK(w.pool_of(model.id) == stake_pool{{one}, one, one});
  CHECK(!w.net.run(w.bob, network::reveal_of(model)));
  CHECK(!w.net.run(w.bob, tx::retire_model{model.id}));
  CHECK(!w.net.run(w.bob, tx::withdraw_stake{model.id, one}));
  w.net.end_epoch();
  CHECK(w.pool_of(model.id) == stake_pool{});
}

// Protocol §4.4.
TEST_CASE("the owner of a validator's pool keeps the minimum until it leaves") {
  auto genesis = mint::quiet();
  genesis.validators[0].stake = {1'500 * one};
  genesis.validators.push_back({validator_person(901).key, {5'000 * one}});
  mint w(genesis);
  CHECK(!w.net.run(w.alice, tx::transfer{w.validator.where(), {one}}));
  CHECK(w.net.run(w.validator, tx::withdraw_stake{w.pool, 500 * one + 1}) ==
        refusal::own_stake_needed);
  CHECK(!w.net.run(w.validator, tx::withdraw_stake{w.pool, 500 * one}));
  w.net.end_epoch();
  CHECK(w.net.power(w.validator) > 0);
  CHECK(w.net.run(w.validator, tx::withdraw_stake{w.pool, 1}) == refusal::own_stake_needed);
  CHECK(!w.net.run(w.validator, tx::leave_committee{}));
  CHECK(!w.net.run(w.validator, tx::withdraw_stake{w.pool, 1'000 * one}));
  const auto before = w.net.balance(w.validator);
  w.net.end_epoch();  // the 500 of an earlier epoch stay locked with them
  CHECK(w.net.balance(w.validator) == before);
  w.net.end_epoch();
  CHECK(w.net.balance(w.validator) == before + 500 * one);
  w.net.end_epoch();
  CHECK(w.net.balance(w.validator) == before + 1'500 * one);
}

// Protocol §4.7.
TEST_CASE("a slash takes from the whole pool: the owner's part first, the rest from all by price") {
  // Half of 10 SOMA are slashed, since the model is not revealed. Of them the owner has 7 or 4.
  for (const std::uint64_t own : {7, 4}) {
    CAPTURE(own);
    mint w;
    const auto others = 10 - own;
    const auto model = w.model(own * one);
    CHECK(!w.net.run(w.alice, tx::add_stake{model.id, {others * one}}));
    w.net.end_epoch();
    CHECK(w.pool_of(model.id) == stake_pool{{10 * one}, 10 * one, own * one});
    w.net.end_epoch();
    const auto left = own == 7 ? 2 * one : 0;
    CHECK(w.pool_of(model.id) == stake_pool{{5 * one}, left + others * one, left});
    const auto worth = rules::worth_of(w.pool_of(model.id), others * one).value;
    CHECK(worth == (own == 7 ? 3 * one : 5 * one));
    REQUIRE(w.net.events(event_kind::model_slashed).size() == 1);
    CHECK(w.net.events(event_kind::model_slashed)[0].amount.value == 5 * one);
    CHECK(!w.net.run(w.alice, tx::withdraw_stake{model.id, others * one}));
    const auto before = w.net.balance(w.alice);
    w.net.end_epoch();
    w.net.end_epoch();
    CHECK(w.net.balance(w.alice) == before + worth);
  }
}

// Protocol §4.7.
TEST_CASE("slashed shares: rounded against the owner, never more than the owner has") {
  // There are 7 shares of 100 shannons, 3 of them the owner's. 10 shannons are 0.7 of a share, so
  // one share is slashed.
  CHECK(rules::shares_to_slash({{100}, 7, 3}, {10}) == 1);
  CHECK(rules::shares_to_slash({{100}, 7, 3}, {15}) == 2);  // 1.05
  CHECK(rules::shares_to_slash({{100}, 7, 3}, {42}) == 3);  // 2.94
  CHECK(rules::shares_to_slash({{100}, 7, 3}, {90}) == 3);  // more than the owner's part
  CHECK(rules::shares_to_slash({{100}, 100, 40}, {20}) == 20);
  // the price falls, and only the owner loses
  CHECK(rules::shares_to_slash({{100}, 7, 7}, {50}) == 0);
  CHECK(rules::shares_to_slash({{0}, 7, 3}, {0}) == 0);
  CHECK(rules::shares_to_slash({supply_cap, supply_cap.value, supply_cap.value / 2}, supply_cap) ==
        supply_cap.value / 2);
}

TEST_CASE("shares that were to leave and were slashed before do not leave twice") {
  mint w;
  const auto model = w.model(8 * one);
  CHECK(!w.net.run(w.alice, tx::add_stake{model.id, {2 * one}}));
  w.net.end_epoch();
  CHECK(!w.net.run(w.bob, tx::retire_model{model.id}));
  CHECK(!w.net.run(w.bob, tx::withdraw_stake{model.id, 8 * one}));
  CHECK(!w.net.run(w.alice, tx::withdraw_stake{model.id, 2 * one}));
  // the model was not revealed: half of the pool, of the owner's part, is slashed before the rest
  // leaves
  w.net.end_epoch();
  CHECK(w.pool_of(model.id) == stake_pool{{}, 0, 0, {{{2}, {2 * one}, {2 * one}}}});
  CHECK(w.net.chain_now().unbonding.value == 5 * one);
  CHECK(w.net.stake(w.bob, model.id).unbonding[0].amount.value == 3 * one);
  CHECK(w.net.stake(w.alice, model.id).unbonding[0].amount.value == 2 * one);
}

TEST_CASE("prices: the first deposit is 1:1, shares without stake have no price") {
  CHECK(rules::shares_for({}, {5}) == 5);
  CHECK(rules::shares_for({{100}, 50, 50}, {5}) == 2);
  CHECK(!rules::shares_for({{0}, 50, 50}, {5}));
  CHECK(!rules::shares_for({{1}, UINT64_MAX / 2, 1}, {5}));
  CHECK(rules::worth_of({{101}, 50, 50}, 50).value == 101);
  CHECK(rules::worth_of({{101}, 50, 50}, 49).value == 98);
  CHECK(rules::worth_of({}, 0).value == 0);
}

// Protocol §4.8.
TEST_CASE("commissions: set by the owner, by steps, from the next epoch on, out of rewards alone") {
  mint w;
  CHECK(!w.net.run(w.alice, tx::transfer{w.validator.where(), {one}}));
  CHECK(w.net.run(w.alice, tx::set_commission{w.alice.where(), 10'001}) == refusal::pool_unknown);
  CHECK(w.net.run(w.alice, tx::set_commission{w.pool, 10'001}) == refusal::not_pool_owner);
  CHECK(w.net.run(w.validator, tx::set_commission{w.pool, 10'001}) ==
        refusal::commission_out_of_range);
  CHECK(w.net.run(w.validator, tx::set_commission{w.pool, 501}) ==
        refusal::commission_step_too_large);
  CHECK(!w.net.run(w.validator, tx::set_commission{w.pool, 400}));
  // A step counts from the present commission.
  CHECK(w.net.run(w.validator, tx::set_commission{w.pool, 501}) ==
        refusal::commission_step_too_large);
  CHECK(!w.net.run(w.validator, tx::set_commission{w.pool, 500}));  // this is still one step from 0
  CHECK(w.net.validator(w.validator).commission_bps == 0);
  CHECK(w.net.validator(w.validator).next_commission_bps == 500);
  auto balance = w.net.balance(w.validator);
  w.net.end_epoch();
  // this epoch's reward is paid by the old commission
  CHECK(w.net.balance(w.validator) == balance);
  CHECK(w.pool_now().stake.value == 2'000 * one);
  CHECK(w.net.validator(w.validator).commission_bps == 500);
  REQUIRE(w.net.events(event_kind::commission_changed).size() == 1);
  CHECK(w.net.events(event_kind::commission_changed)[0].detail == 500);
  CHECK(w.net.run(w.validator, tx::set_commission{w.pool, 1'001}) ==
        refusal::commission_step_too_large);
  CHECK(!w.net.run(w.validator, tx::set_commission{w.pool, 1'000}));
  balance = w.net.balance(w.validator);
  w.net.end_epoch();
  CHECK(w.net.balance(w.validator) == balance + 50 * one);  // 5 % of 1,000 SOMA
  CHECK(w.pool_now().stake.value == 2'950 * one);
  // a commission may fall to 0 in one step
  CHECK(!w.net.run(w.validator, tx::set_commission{w.pool, 0}));
  balance = w.net.balance(w.validator);
  w.net.end_epoch();
  CHECK(w.net.balance(w.validator) == balance + 100 * one);
  w.net.end_epoch();
  CHECK(w.net.balance(w.validator) == balance + 100 * one);
  CHECK(w.pool_now().stake.value == 4'850 * one);
  CHECK(!w.net.run(w.validator, tx::leave_committee{}));
  CHECK(w.net.run(w.validator, tx::set_commission{w.pool, 1}) == refusal::pool_closed);
}

TEST_CASE("the commission of a model: a step an epoch, held at the epoch's end") {
  mint w;
  const auto model = w.model(2 * one);  // committed with a commission of 10 %
  CHECK(w.net.run(w.alice, tx::set_commission{model.id, 0}) == refusal::not_pool_owner);
  CHECK(w.net.run(w.bob, tx::set_commission{model.id, 1'501}) ==
        refusal::commission_step_too_large);
  CHECK(!w.net.run(w.bob, tx::set_commission{model.id, 1'500}));
  CHECK(ledger::read_model(w.net.state, model.id)->commission_bps == 1'000);
  w.net.end_epoch();
  CHECK(ledger::read_model(w.net.state, model.id)->commission_bps == 1'500);
  REQUIRE(w.net.events(event_kind::commission_changed).size() == 1);
  CHECK(w.net.events(event_kind::commission_changed)[0].model.model == model.id);
  w.net.end_epoch();
  CHECK(w.net.run(w.bob, tx::set_commission{model.id, 0}) == refusal::pool_closed);
}

// Protocol §4.2.
TEST_CASE("founding a model is 1:1 and at once; what an update adds waits like any deposit") {
  mint w;
  auto plan = network::plan(1);
  w.net.commit(w.bob, plan, 3 * one);
  w.net.block();
  CHECK(w.pool_of(plan.id) == stake_pool{{3 * one}, 3 * one, 3 * one});
  // The rows are account, model, version and two places on the agenda. Stakes pay the value fee.
  CHECK(w.net.last.outcomes[0].fee.value == 1'000 + 5 * 300 + 3 * one / 1'000);
  w.net.end_epoch();
  CHECK(!w.net.run(w.bob, network::reveal_of(plan)));
  w.net.judge({plan.id, 1});
  w.net.end_epoch();
  CHECK(!w.net.run(w.bob, network::commit_of(w.bob, network::plan(2), plan.id, 4 * one)));
  CHECK(w.pool_of(plan.id).stake.value == 3 * one);
  CHECK(w.net.stake(w.bob, plan.id).joining.value == 4 * one);
  w.net.end_epoch();
  CHECK(w.pool_of(plan.id) == stake_pool{{7 * one}, 7 * one, 7 * one});
  CHECK(!ledger::read_stake(w.net.state, {plan.id, w.bob.where()}));
  CHECK(w.net.active.list()[0].stake.value == 7 * one);
}

TEST_CASE("stake of others on an active model changes the registry's version, once per block") {
  mint w;
  const auto model = w.net.active_models(w.bob, 1)[0];
  CHECK(!w.net.run(w.alice, tx::add_stake{model.id, {one}}));
  const auto before = w.net.chain_now().registry_version;
  w.net.end_epoch();
  CHECK(w.net.chain_now().registry_version == before + 1);
  REQUIRE(w.net.active.list().size() == 1);
  CHECK(w.net.active.list()[0].stake.value == 3 * one);
  CHECK(w.net.active.list() == rules::active_models(w.net.state).list());
  w.net.end_epoch();
  CHECK(w.net.chain_now().registry_version == before + 1);
}

// Protocol §4.6.
TEST_CASE("a reward to a pool that everybody has left goes to its owner") {
  mint w;
  const auto model = w.net.active_models(w.bob, 1)[0];
  ledger::block_state state(w.net.state);
  rules::block_run run{state, w.net.genesis.parameters, {99}};
  CHECK(rules::owner_of(state, model.id) == w.bob.where());
  const auto balance = state.balance(w.bob.where());
  rules::reward_pool(run, rules::of(ledger::pot::unissued), model.id, {1'000});
  CHECK(state.balance(w.bob.where()).value == balance.value + 100);  // 10 %
  CHECK(state.pool(model.id)->stake.value == 2 * one + 900);
  state.must_move(ledger::stake_of(model.id), rules::of(ledger::pot::unissued),
                  state.pool(model.id)->stake);
  state.update_shares(model.id, [](stake_pool& pool) { pool.shares = pool.owner_shares = 0; });
  rules::reward_pool(run, rules::of(ledger::pot::unissued), model.id, {1'000});
  CHECK(state.balance(w.bob.where()).value == balance.value + 1'100);
  CHECK(state.pool(model.id)->stake.value == 0);
}

}  // namespace
}  // namespace soma::test
