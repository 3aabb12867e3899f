#include <doctest/doctest.h>

#include "tests/actors/rules/network.hpp"

namespace soma::test {
namespace {

using rules::refusal;

struct pair_of_people {
  person a = somebody(1), b = somebody(2), stranger = somebody(3);
  network net{small_genesis(1, std::vector{a, b})};
  [[nodiscard]] transaction transfer(std::uint64_t nonce, std::uint64_t amount) const {
    return {net.chain, a.key, nonce, {5}, tx::transfer{b.where(), {amount}}};
  }
  rules::refused run(transaction t, std::uint64_t size = 300) {
    net.send_raw(std::move(t));
    net.queue.back().size_bytes = size;
    return net.block().outcomes.back().reason;
  }
};

// Protocol §1.1, §1.10 and §2.2.
TEST_CASE("a transfer moves the amount, burns its fee and uses the nonce") {
  pair_of_people w;
  const auto a = w.net.balance(w.a);
  const auto b = w.net.balance(w.b);
  CHECK(!w.run(w.transfer(0, 1'000'000)));
  const auto fee = 1'000 + 2 * 300 + 1'000'000 / 1'000;
  CHECK(w.net.balance(w.a) == a - 1'000'000 - fee);
  CHECK(w.net.balance(w.b) == b + 1'000'000);
  CHECK(w.net.chain_now().burned.value == fee);
  CHECK(w.net.last.outcomes[0].fee.value == fee);
  CHECK(ledger::read_account(w.net.state, w.a.where())->nonce == 1);
}

// Protocol §1.7.
TEST_CASE("what is stopped at the door changes nothing at all, each by its name") {
  pair_of_people w;
  CHECK(!w.run(w.transfer(0, 1)));
  const auto before = w.net.state.rows();
  auto other_chain = w.transfer(1, 1);
  other_chain.chain.value[0] ^= 1;
  CHECK(w.run(other_chain) == refusal::wrong_chain);
  CHECK(w.run(w.transfer(0, 1)) == refusal::nonce_too_low);
  CHECK(w.run(w.transfer(2, 1)) == refusal::nonce_too_high);
  CHECK(w.run(w.transfer(1, 1), max_transaction_bytes) != refusal::too_large);
  auto stranger = w.transfer(0, 1);
  stranger.sender = w.stranger.key;
  CHECK(w.run(stranger) == refusal::account_unknown);
  w.net.queue.push_back({id_from<transaction_id>(1), std::nullopt, 10, refusal::bad_signature});
  w.net.queue.push_back({id_from<transaction_id>(2), std::nullopt, 10, std::nullopt});
  const auto& done = w.net.block();
  CHECK(done.outcomes[0].reason == refusal::bad_signature);
  CHECK(done.outcomes[1].reason == refusal::malformed);
  CHECK(w.net.balance(w.a) < 100'000 * shannons_per_soma);
  for (const auto& outcome : done.outcomes) CHECK(outcome.fee.value == 0);
  CHECK(rules::check_door(w.transfer(1, 1), max_transaction_bytes + 1, w.net.chain, {0}, nullptr,
                          {}, false) == refusal::too_large);
  for (int e = 0; e < 6; ++e) w.net.end_epoch();
  CHECK(w.run(w.transfer(2, 1)) == refusal::expired);
  auto late = w.transfer(2, 1);
  late.expiry = {6};
  CHECK(!w.run(late));
  (void)before;
}

// Protocol §1.8 and §2.1.
TEST_CASE("what is refused later pays the base fee and its nonce, nothing else") {
  pair_of_people w;
  const std::vector<std::pair<transaction_kind, refusal>> cases{
      {tx::transfer{w.b.where(), {0}}, refusal::amount_is_zero},
      {tx::transfer{w.b.where(), {UINT64_MAX}}, refusal::balance_too_low},
      {tx::transfer{w.b.where(), {100'000 * shannons_per_soma - 10'000}},
       refusal::fee_unaffordable},
      {tx::add_stake{w.b.where(), {1}}, refusal::pool_unknown},
      {tx::withdraw_stake{w.b.where(), 1}, refusal::pool_unknown},
      {tx::set_commission{w.b.where(), 1}, refusal::pool_unknown},
      {tx::join_committee{}, refusal::consensus_key_invalid},
      {tx::leave_committee{}, refusal::not_a_validator},
      {tx::report_equivocation{}, refusal::statement_unreadable}};
  for (const auto& [kind, reason] : cases) {
    CAPTURE(kind.index());
    auto expected = w.net.state;
    auto account = *ledger::read_account(w.net.state, w.a.where());
    CHECK(w.net.run(w.a, kind) == reason);
    CHECK(w.net.last.outcomes[0].fee.value == 1'000);
    account.balance.value -= 1'000;
    ++account.nonce;
    expected.apply({{account_key(w.a.where()), encode(account)}});
    for (const auto& [key, value] : w.net.state.rows()) {
      // Only the chain row, which counts, and the committee row, which notes signatures, change as
      // well.
      if (key[0] == 1 || key[0] == 12) continue;
      CHECK(expected.rows().at(key) == value);
    }
    CHECK(expected.rows().size() == w.net.state.rows().size());
  }
}

// Protocol §2.3.
TEST_CASE("an account that cannot pay the base fee is stopped at the door; a duty is free") {
  pair_of_people w;
  auto genesis = small_genesis(1, std::vector{w.a});
  genesis.accounts.push_back({w.b.where(), {999}});
  network net(genesis);
  CHECK(net.run(w.b, tx::transfer{w.a.where(), {1}}) == refusal::base_fee_unaffordable);
  CHECK(net.run(validator_person(900), tx::transfer{w.a.where(), {1}}) ==
        refusal::base_fee_unaffordable);
  // A duty is free only when it is applied: this vote is about nothing.
  CHECK(net.run(validator_person(900), tx::vote_on_submission{}) == refusal::base_fee_unaffordable);
  CHECK(!net.run(validator_person(900), tx::commit_onion{id_from(1), 1}));
  CHECK(net.last.outcomes[0].fee.value == 0);
  net.give_fees_to_members(w.a);
  CHECK(net.run(validator_person(900), tx::vote_on_submission{}) == refusal::target_unknown);
  CHECK(net.last.outcomes[0].fee.value == 1'000);
}

// Protocol §10.1.
TEST_CASE("blocks that cannot follow are refused by name") {
  pair_of_people w;
  const auto good = w.net.next_input(1);
  CHECK(!rules::check_block(good, w.net.chain_now(), w.net.state));
  auto bad = good;
  bad.height = {2};
  CHECK(rules::check_block(bad, w.net.chain_now(), w.net.state) ==
        rules::block_refusal::wrong_height);
  bad = good;
  bad.time_ms = w.net.time_ms;
  CHECK(rules::check_block(bad, w.net.chain_now(), w.net.state) ==
        rules::block_refusal::time_not_after_parent);
  bad = good;
  bad.transactions.assign(max_block_transactions + 1, {});
  CHECK(rules::check_block(bad, w.net.chain_now(), w.net.state) ==
        rules::block_refusal::too_many_transactions);
  bad.transactions.assign(3, {});
  for (auto& t : bad.transactions) t.size_bytes = 100 * 1024;
  CHECK(rules::check_block(bad, w.net.chain_now(), w.net.state) ==
        rules::block_refusal::payload_too_large);
  bad.transactions[0].size_bytes = UINT64_MAX;
  CHECK(rules::check_block(bad, w.net.chain_now(), w.net.state) ==
        rules::block_refusal::payload_too_large);
}

// Protocol §12.1.
TEST_CASE("a genesis is refused by name") {
  using rules::genesis_refusal;
  const auto good = small_genesis(2, std::vector{somebody(1)});
  CHECK(!rules::check_genesis(good));
  const auto refused = [&](auto change) {
    auto bad = good;
    change(bad);
    return rules::check_genesis(bad);
  };
  CHECK(refused([](genesis& g) { g.name = "a\nb"; }) == genesis_refusal::bad_name);
  CHECK(refused([](genesis& g) { g.parameters.architecture.heads = 3; }) ==
        genesis_refusal::bad_architecture);
  CHECK(refused([](genesis& g) { g.parameters.epoch_ms = 0; }) ==
        genesis_refusal::bad_epoch_length);
  CHECK(refused([](genesis& g) { g.parameters.target_share_bps = 10'001; }) ==
        genesis_refusal::bad_shares);
  CHECK(refused([](genesis& g) { g.parameters.fee_multiplier_min_ppm = 0; }) ==
        genesis_refusal::bad_fees);
  CHECK(refused([](genesis& g) { g.parameters.hits_wanted = 0; }) == genesis_refusal::bad_targets);
  CHECK(refused([](genesis& g) { g.parameters.models_per_target = 17; }) ==
        genesis_refusal::bad_targets);
  CHECK(refused([](genesis& g) { g.parameters.bond_reward_divisor = 0; }) ==
        genesis_refusal::bad_bonds);
  CHECK(refused([](genesis& g) { g.accounts.push_back(g.accounts[0]); }) ==
        genesis_refusal::double_account);
  CHECK(refused([](genesis& g) { g.validators.clear(); }) == genesis_refusal::no_validator);
  CHECK(refused([](genesis& g) { g.validators.push_back(g.validators[0]); }) ==
        genesis_refusal::double_validator);
  CHECK(refused([](genesis& g) { g.validators[0].consensus_key = {}; }) ==
        genesis_refusal::bad_validator_key);
  CHECK(refused([](genesis& g) { g.validators[0].stake = {1}; }) ==
        genesis_refusal::validator_stake_too_low);
  CHECK(refused([](genesis& g) { g.accounts[0].balance = supply_cap; }) ==
        genesis_refusal::above_supply_cap);
}

// Protocol §9.1.
TEST_CASE(
    "the first block that is late enough is the epoch's last, and the next one opens another") {
  network net{small_genesis(1, std::vector{somebody(1)})};
  const auto length = net.genesis.parameters.epoch_ms;
  CHECK_FALSE(net.block(length - 1).epoch_closed);
  CHECK(net.block(1).epoch_closed);
  CHECK(net.chain_now().epoch.value == 1);
  CHECK(net.chain_now().epoch_start_ms == net.genesis.start_ms + length);
  CHECK(net.chain_now().epoch_first_block.value == 3);
  // A block may be late by any time. The next epoch begins with its time.
  CHECK(net.block(length * 7).epoch_closed);
  CHECK(net.chain_now().epoch.value == 2);
}

}  // namespace
}  // namespace soma::test
