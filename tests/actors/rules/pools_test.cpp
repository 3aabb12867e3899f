// Protocol §4.7: what a slash takes, and from whom; with the attacks on it.
#include "actors/rules/pools.hpp"

#include <doctest/doctest.h>

#include "actors/rules/arithmetic.hpp"
#include "tests/actors/rules/network.hpp"

namespace soma::test {
namespace {

using rules::refusal;
constexpr std::uint64_t one = shannons_per_soma;

/// Three validators, and nobody earns anything, so that pools change by people alone. Fees are next
/// to nothing.
struct bank {
  person sock = somebody(1), delegator = somebody(2), owner = validator_person(900);
  pool_owner pool = owner.where();
  network net;

  explicit bank(std::uint64_t own_soma, std::uint32_t slash_bps = 500)
      : net(birth(own_soma, slash_bps)) {}
  static genesis birth(std::uint64_t own_soma, std::uint32_t slash_bps) {
    auto g = small_genesis(3, std::vector{somebody(1), somebody(2)});
    g.parameters.target_share_bps = 10'000;
    g.parameters.equivocation_slash_bps = slash_bps;
    g.parameters.value_fee_bps = 0;
    g.parameters.base_fee = g.parameters.row_fee = 0;
    g.validators[0].stake = {own_soma * one};
    g.validators[1].stake = g.validators[2].stake = {50'000 * one};
    return g;
  }
  [[nodiscard]] tx::report_equivocation guilty(std::uint64_t epoch) const {
    const auto key = key_of(900);
    const vote_statement a{vote_kind::notarize, {epoch}, {5}, id_from<block_id>(1)};
    const vote_statement b{vote_kind::notarize, {epoch}, {5}, id_from<block_id>(2)};
    return {key.public_half(), encode(a), signing::sign_vote(key, net.chain, a), encode(b),
            signing::sign_vote(key, net.chain, b)};
  }
  [[nodiscard]] stake_pool pool_now() const { return net.validator(owner).pool; }
  [[nodiscard]] std::uint64_t taken() const {
    const auto found = net.events(event_kind::validator_slashed);
    return found.empty() ? 0 : found[0].amount.value;
  }
  void end_epochs(int count) {
    for (int i = 0; i < count; ++i) net.end_epoch();
  }
  /// Everybody takes out of the pool what it has there, and waits for it.
  void all_leave() {
    for (const auto& who : {sock, delegator}) {
      if (const auto held = net.stake(who, pool).shares; held > 0) {
        CHECK(!net.run(who, tx::withdraw_stake{pool, held}));
      }
    }
    end_epochs(4);
  }
};

// Protocol §4.7 and §5.10. The attack: the owner of 1,000 SOMA of a pool of 41,000 left with its
// own part, and its friend reported it for two epochs: 5 % of what it had withdrawn was lost each
// time, the delegators lost 3,900 SOMA, and the friend got 200 of them.
TEST_CASE("attack: an owner that leaves before it is reported pays first all the same") {
  for (const bool leaves : {false, true}) {
    CAPTURE(leaves);
    bank w(1'000);
    CHECK(!w.net.run(w.delegator, tx::add_stake{w.pool, {40'000 * one}}));
    w.net.end_epoch();
    const auto epoch = w.net.chain_now().epoch.value;
    w.net.end_epoch();
    if (leaves) {
      CHECK(!w.net.run(w.owner, tx::leave_committee{}));
      CHECK(!w.net.run(w.owner, tx::withdraw_stake{w.pool, w.pool_now().owner_shares}));
    }
    w.net.end_epoch();
    CHECK(!w.net.run(w.sock, w.guilty(epoch)));
    CHECK(w.taken() == 2'050 * one);  // 5 % of 41,000
    CHECK(w.net.balance(w.sock) == 100'100 * one);
    CHECK(!w.net.run(w.sock, w.guilty(epoch + 1)));
    CHECK(w.taken() == 1'947 * one + one / 2);  // of 38,950
    w.all_leave();
    CHECK(w.net.balance(w.owner) == 0);
    // The owner had 1,000 SOMA, and its friend has 200 more than before.
    CHECK(w.net.balance(w.sock) == 100'200 * one);
    // Of 3,997.5 SOMA the owner has paid 1,000.
    CHECK(w.net.balance(w.delegator) == 100'000 * one - 2'997 * one - one / 2);
  }
}

// The attack: a friend of the owner had nine tenths of the pool, and withdrew them in the epoch of
// the two votes. The report that came in the next epoch found a tenth of the stake that had voted.
TEST_CASE(
    "attack: stake that leaves after it has voted twice is slashed like the stake that stays") {
  for (const bool leaves : {false, true}) {
    CAPTURE(leaves);
    bank w(9'100);
    CHECK(!w.net.run(w.sock, tx::add_stake{w.pool, {81'900 * one}}));
    w.net.end_epoch();
    const auto epoch = w.net.chain_now().epoch.value;
    CHECK(w.net.power(w.owner) == 4'764);
    if (leaves) {
      CHECK(!w.net.run(w.sock, tx::withdraw_stake{w.pool, w.net.stake(w.sock, w.pool).shares}));
    }
    w.net.end_epoch();
    CHECK(!w.net.run(w.delegator, w.guilty(epoch)));
    CHECK(w.taken() == 4'550 * one);  // 5 % of 91,000: the owner's shares cover it
    CHECK(w.pool_now().stake.value == (leaves ? 4'550 : 86'450) * one);
    w.all_leave();
    CHECK(w.net.balance(w.sock) == 100'000 * one);
  }
}

// Protocol §4.5 and §4.7.
TEST_CASE("what the owner cannot cover is lost by those who stay and those who leave alike") {
  bank w(1'000, 5'000);
  CHECK(!w.net.run(w.sock, tx::add_stake{w.pool, {4'000 * one}}));
  CHECK(!w.net.run(w.delegator, tx::add_stake{w.pool, {5'000 * one}}));
  w.net.end_epoch();
  CHECK(!w.net.run(w.sock, tx::withdraw_stake{w.pool, 4'000 * one}));
  w.net.end_epoch();
  CHECK(w.pool_now().unbonding ==
        std::vector<unbonding_batch>{{{3}, {4'000 * one}, {4'000 * one}}});
  CHECK(!w.net.run(w.sock, w.guilty(1)));
  // Half of 10,000; the owner pays 1,000. The others lose 4,000 of 9,000.
  CHECK(w.taken() == 5'000 * one);
  const auto kept = 4'000 * one - 4'000 * one * 4 / 9;
  CHECK(w.pool_now().unbonding == std::vector<unbonding_batch>{{{3}, {4'000 * one}, {kept}}});
  CHECK(w.pool_now().stake.value == 5'000 * one - kept);
  CHECK(w.net.chain_now().unbonding.value == kept);
  CHECK(w.net.stake(w.sock, w.pool).unbonding[0].amount.value == 4'000 * one);
  const auto before = w.net.balance(w.sock);
  w.end_epochs(2);
  CHECK(w.net.balance(w.sock) == before + kept);
  CHECK(w.pool_now().unbonding.empty());
  CHECK(w.net.chain_now().unbonding.value == 0);
}

TEST_CASE("stake that had left before the epoch of the votes is not slashed, but for the owner's") {
  bank w(2'000, 10'000);
  CHECK(!w.net.run(w.sock, tx::add_stake{w.pool, {300 * one}}));
  CHECK(!w.net.run(w.delegator, tx::add_stake{w.pool, {500 * one}}));
  w.net.end_epoch();
  CHECK(!w.net.run(w.sock, tx::withdraw_stake{w.pool, 300 * one}));
  CHECK(!w.net.run(w.owner, tx::withdraw_stake{w.pool, 1'000 * one}));
  w.net.end_epoch();
  CHECK(!w.net.run(w.delegator, tx::withdraw_stake{w.pool, 500 * one}));
  w.net.end_epoch();
  // The sock's 300 left at the end of epoch 1, the delegator's 500 at that of epoch 2.
  CHECK(!w.net.run(w.sock, w.guilty(2)));
  CHECK(w.taken() == 2'500 * one);
  CHECK(w.net.chain_now().unbonding.value == 300 * one);
  CHECK(w.pool_now().stake.value == 0);
  w.end_epochs(3);
  CHECK(w.net.balance(w.sock) == 100'100 * one);  // with a tenth, at most 100, of what was taken
  CHECK(w.net.balance(w.delegator) == 99'500 * one);
  CHECK(w.pool_now().unbonding.empty());
}

// Shares of a slashed batch: floors, and the last who is paid gets what is left of it.
TEST_CASE("a batch of many holders is paid out to the shannon") {
  bank w(1'000, 3'333);
  std::vector<person> many;
  for (std::uint64_t i = 0; i < 7; ++i) {
    many.push_back(somebody(50 + i));
    CHECK(!w.net.run(w.sock, tx::transfer{many[i].where(), {(20 + i) * one + i * i}}));
    CHECK(!w.net.run(many[i], tx::add_stake{w.pool, {(20 + i) * one + i * i}}));
  }
  CHECK(!w.net.run(w.delegator, tx::add_stake{w.pool, {9'000 * one}}));
  w.net.end_epoch();
  for (const auto& who : many) {
    CHECK(!w.net.run(who, tx::withdraw_stake{w.pool, w.net.stake(who, w.pool).shares}));
  }
  w.net.end_epoch();
  CHECK(!w.net.run(w.sock, w.guilty(1)));
  const auto kept = w.pool_now().unbonding.at(0).kept.value;
  CHECK(kept > 111 * one);
  CHECK(kept < 161 * one);
  w.end_epochs(2);
  std::uint64_t paid = 0;
  for (std::size_t i = 0; i < many.size(); ++i) {
    CAPTURE(i);
    const auto fair = rules::share_of(kept, (20 + i) * one + i * i, 161 * one + 91);
    CHECK(w.net.balance(many[i]) >= fair);
    CHECK(w.net.balance(many[i]) <= fair + many.size());
    paid += w.net.balance(many[i]);
  }
  CHECK(paid == kept);
  CHECK(w.pool_now().unbonding.empty());
}

// Protocol §6.6 and §6.7.
TEST_CASE("attack: who backed a bad model cannot leave an epoch before the verdict") {
  const person backer = somebody(1), owner = somebody(2);
  network net(small_genesis(2, std::vector{backer, owner}));
  const auto model = net.active_models(owner, 1)[0];  // 2 SOMA of its owner
  CHECK(!net.run(backer, tx::add_stake{model.id, {18 * one}}));
  CHECK(!net.run(owner, tx::add_stake{model.id, {20 * one}}));
  net.end_epoch();
  auto update = network::plan(9);
  update.id = model.id;
  CHECK(!net.run(owner, network::commit_of(owner, update, model.id, 0)));
  CHECK(!net.run(backer, tx::withdraw_stake{model.id, 18 * one}));
  CHECK(!net.run(owner, tx::withdraw_stake{model.id, 20 * one}));
  net.end_epoch();
  CHECK(ledger::read_model(net.state, model.id)->pool.stake.value == 2 * one);
  CHECK(net.chain_now().unbonding.value == 38 * one);
  CHECK(!net.run(owner, network::reveal_of(update)));
  net.judge({model.id, 2}, model_verdict::malformed);
  net.block();
  // 95 % of 40 SOMA: the owner's 22, and 16 of the 18 of the backer.
  REQUIRE(net.events(event_kind::model_slashed).size() == 1);
  CHECK(net.events(event_kind::model_slashed)[0].amount.value == 38 * one);
  CHECK(net.events(event_kind::model_slashed)[0].detail == 19 * one);
  CHECK(ledger::read_model(net.state, model.id)->pool.stake.value == 0);
  CHECK(net.chain_now().unbonding.value == 2 * one);
  const auto before = net.balance(backer);
  net.end_epoch();
  CHECK(net.balance(backer) == before + 2 * one);
}

}  // namespace
}  // namespace soma::test
