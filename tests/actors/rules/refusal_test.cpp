// Refusals that the other tests do not cause, and the properties that all refusals share.
#include "actors/rules/refusal.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/actors/rules/network.hpp"

namespace soma::test {
namespace {

using rules::refusal;

/// As if the committee that found the version good had left, and another had come.
void forget_votes(network& net, const model_version_ref& which) {
  auto row = *ledger::read_version(net.state, which);
  row.votes.clear();
  const std::vector<row_change> changes{{model_version_key(which), encode(row)}};
  net.state.apply(changes);
  net.tree.apply(changes);
}

// Protocol §1.11.
TEST_CASE("refusals: numbers rise, names and sentences are there and are told apart") {
  std::set<std::string_view> names, texts;
  for (std::size_t i = 0; i < rules::all_refusals.size(); ++i) {
    const auto reason = rules::all_refusals[i];
    if (i > 0) CHECK(rules::all_refusals[i - 1] < reason);
    CHECK(names.insert(rules::name_of(reason)).second);
    CHECK(texts.insert(rules::to_text(reason)).second);
    CHECK(!rules::to_text(reason).empty());
  }
  CHECK(rules::to_text(static_cast<refusal>(20)) == "unknown refusal");
  CHECK(rules::name_of(static_cast<refusal>(20)) == "unknown_refusal");
}

// Protocol §1.2 and §2.2.
TEST_CASE("a fee that does not fit 64 bits refuses the transaction, which pays the base fee") {
  auto genesis = small_genesis(1, std::vector{somebody(1), somebody(2)});
  // Two rows at 10^16 shannons each, multiplied by a thousand, cost 2 * 10^19.
  genesis.parameters.row_fee = supply_cap.value;
  genesis.parameters.fee_multiplier_start_ppm = 1'000'000'000;
  genesis.parameters.fee_multiplier_max_ppm = 1'000'000'000;
  network net(genesis);
  const auto balance = net.balance(somebody(1));
  CHECK(net.run(somebody(1), tx::transfer{somebody(2).where(), {1}}) ==
        refusal::arithmetic_overflow);
  CHECK(net.balance(somebody(1)) == balance - 1'000'000);
  CHECK(net.balance(somebody(2)) == balance);
}

// Protocol §6.5.
TEST_CASE("a version takes a thousand votes and not one more") {
  const auto owner = somebody(1);
  network net(small_genesis(2, std::vector{owner}));
  const auto model = net.active_models(owner, 1)[0];
  net.give_fees_to_members(owner);
  const model_version_ref which{model.id, 1};
  auto row = *ledger::read_version(net.state, which);
  row.votes.clear();
  for (std::uint64_t i = 0; i < max_cast_votes; ++i) {
    row.votes.push_back({id_from<address>(i), 1, model_verdict::good});
  }
  const std::vector<row_change> changes{{model_version_key(which), encode(row)}};
  net.state.apply(changes);
  net.tree.apply(changes);
  CHECK(net.run(validator_person(900), tx::vote_on_model{which, model_verdict::good}) ==
        refusal::votes_full);
}

TEST_CASE("an update left behind by a model that was slashed is revealed too late for good") {
  const auto owner = somebody(1);
  network net(small_genesis(1, std::vector{owner}));
  const auto model = net.active_models(owner, 1)[0];
  forget_votes(net, {model.id, 1});
  auto update = network::plan(5);
  update.id = model.id;
  CHECK(!net.run(owner, network::commit_of(owner, update, model.id, 0)));
  CHECK(
      !net.run(validator_person(900), tx::vote_on_model{{model.id, 1}, model_verdict::malformed}));
  CHECK(ledger::read_model(net.state, model.id)->status == model_status::inactive);
  net.end_epoch();
  net.end_epoch();
  CHECK(net.run(owner, network::reveal_of(update)) == refusal::reveal_too_late);
}

// Protocol §1.7.
TEST_CASE("transactions that cannot be charged are refused in the listed order") {
  const auto who = somebody(1);
  const chain_id chain = id_from<chain_id>(1);
  // The transaction is wrong in every way at first. Then one fault after the other is removed.
  transaction t{{}, who.key, 4, {1}, tx::transfer{}};
  account_row account{{9}, 5};
  std::uint64_t size = max_transaction_bytes + 1;
  const account_row* found = nullptr;
  const auto door = [&](bool free = false) {
    return met(rules::check_door(t, size, chain, {2}, found, {10}, free));
  };
  CHECK(door() == refusal::too_large);
  size = max_transaction_bytes;
  CHECK(door() == refusal::wrong_chain);
  t.chain = chain;
  CHECK(door() == refusal::account_unknown);
  found = &account;
  CHECK(door() == refusal::nonce_too_low);
  t.nonce = 6;
  CHECK(door() == refusal::nonce_too_high);
  t.nonce = 5;
  CHECK(door() == refusal::expired);
  t.expiry = {2};
  CHECK(door() == refusal::base_fee_unaffordable);
  CHECK(!door(true));
  account.balance = {10};
  CHECK(!door());
}

// Protocol §10.1.
TEST_CASE("a block is refused by the first check that fails") {
  network net(small_genesis(1, std::vector{somebody(1)}));
  auto block = net.next_input(0);
  block.height = {2};
  block.transactions.assign(max_block_transactions + 1, {});
  block.transactions[7].size_bytes = max_block_payload_bytes + 1;
  const auto check = [&] { return met(rules::check_block(block, net.chain_now(), net.state)); };
  CHECK(check() == rules::block_refusal::wrong_height);
  block.height = {1};
  CHECK(check() == rules::block_refusal::time_not_after_parent);
  ++block.time_ms;
  CHECK(check() == rules::block_refusal::too_many_transactions);
  block.transactions.pop_back();
  CHECK(check() == rules::block_refusal::payload_too_large);
  block.transactions[7].size_bytes = max_block_payload_bytes;
  CHECK(!check());
  block.transactions[8].size_bytes = 1;
  block.peel.value[0] = 1;
  CHECK(check() == rules::block_refusal::payload_too_large);
  block.transactions.clear();
  CHECK(check() == rules::block_refusal::wrong_peel);
}

// Protocol §10.4.
TEST_CASE("draws are refused by name") {
  network net(small_genesis(1, std::vector{somebody(1)}));
  (void)net.active_models(somebody(1), 2);
  const auto begun = rules::begin_block(net.next_input(net.genesis.parameters.epoch_ms), net.state,
                                        net.active, net.genesis);
  const auto spoilt = [&](auto change) {
    auto drawn = network::draw(begun);
    change(drawn);
    return met(rules::check_draws(begun, drawn));
  };
  using rules::draw_refusal;
  CHECK(!spoilt([](auto&) {}));
  CHECK(spoilt([](auto& d) { d.targets.push_back(d.targets[0]); }) == draw_refusal::wrong_number);
  CHECK(spoilt([](auto& d) { d.models.clear(); }) == draw_refusal::wrong_models);
  CHECK(spoilt([](auto& d) { d.targets[3].seed ^= 1; }) == draw_refusal::wrong_seed);
  CHECK(spoilt([](auto& d) { d.targets[3].point.push_back(0); }) == draw_refusal::wrong_dimension);
  CHECK(spoilt([](auto& d) { d.targets[3].distances_q30.push_back(0); }) ==
        draw_refusal::wrong_models);
  CHECK(spoilt([](auto& d) { d.targets[3].distances_q30[1] = (1u << 31) + 1; }) ==
        draw_refusal::distance_out_of_range);
  CHECK(!spoilt([](auto& d) { d.targets[3].distances_q30[1] = 1u << 31; }));
}

// Protocol §12.3.
TEST_CASE("every bound of a genesis is checked, and the value at the bound is good") {
  using rules::genesis_refusal;
  const auto good = small_genesis(2, std::vector{somebody(1)});
  const auto check = [&](auto change) {
    auto changed = good;
    change(changed);
    return met(rules::check_genesis(changed));
  };
  const auto with = [&](auto change) { return check([&](genesis& g) { change(g.parameters); }); };
  using gp = genesis_parameters;
  CHECK(check([](genesis& g) { g.name.clear(); }) == genesis_refusal::bad_name);
  CHECK(check([](genesis& g) { g.name.assign(65, 'x'); }) == genesis_refusal::bad_name);
  CHECK(!check([](genesis& g) { g.name.assign(64, 'x'); }));
  CHECK(check([](genesis& g) { g.name.push_back(0x7f); }) == genesis_refusal::bad_name);
  CHECK(with([](gp& p) { p.architecture.dim = 0; }) == genesis_refusal::bad_architecture);
  CHECK(with([](gp& p) { p.epoch_ms = 366ull * 86'400'000 + 1; }) ==
        genesis_refusal::bad_epoch_length);
  CHECK(!with([](gp& p) { p.epoch_ms = 366ull * 86'400'000; }));
  CHECK(with([](gp& p) { p.emission_epochs = 0; }) == genesis_refusal::bad_epoch_length);

  for (const auto member : {&gp::target_share_bps, &gp::value_fee_bps, &gp::burn_bps_per_year,
                            &gp::max_commission_step_bps, &gp::missed_reveal_slash_bps,
                            &gp::bad_model_slash_bps, &gp::equivocation_slash_bps}) {
    CHECK(with([&](gp& p) { p.*member = 10'001; }) == genesis_refusal::bad_shares);
    CHECK(!with([&](gp& p) { p.*member = 10'000; }));
  }

  CHECK(with([](gp& p) { p.base_fee = 1'000 * shannons_per_soma + 1; }) ==
        genesis_refusal::bad_fees);
  CHECK(with([](gp& p) { p.row_fee = supply_cap.value + 1; }) == genesis_refusal::bad_fees);
  CHECK(with([](gp& p) { p.row_byte_fee = shannons_per_soma + 1; }) == genesis_refusal::bad_fees);
  CHECK(with([](gp& p) { p.byte_fee = shannons_per_soma + 1; }) == genesis_refusal::bad_fees);
  CHECK(with([](gp& p) { p.fee_multiplier_start_ppm = p.fee_multiplier_min_ppm - 1; }) ==
        genesis_refusal::bad_fees);
  CHECK(with([](gp& p) { p.fee_multiplier_start_ppm = p.fee_multiplier_max_ppm + 1; }) ==
        genesis_refusal::bad_fees);
  CHECK(with([](gp& p) { p.fee_multiplier_max_ppm = 1'000'000'001; }) == genesis_refusal::bad_fees);

  CHECK(with([](gp& p) { p.models_per_target = 0; }) == genesis_refusal::bad_targets);
  CHECK(with([](gp& p) { p.hits_wanted = 1'000'000'001; }) == genesis_refusal::bad_targets);
  CHECK(with([](gp& p) { p.initial_targets = 10'001; }) == genesis_refusal::bad_targets);
  CHECK(with([](gp& p) { p.stake_bonus_ppm = -1; }) == genesis_refusal::bad_targets);
  CHECK(with([](gp& p) { p.stake_bonus_ppm = 1'000'000'001; }) == genesis_refusal::bad_targets);
  CHECK(with([](gp& p) { p.difficulty_start_ppm = -1'000'000'001; }) ==
        genesis_refusal::bad_targets);
  CHECK(with([](gp& p) { p.difficulty_start_ppm = 1'000'000'001; }) ==
        genesis_refusal::bad_targets);

  CHECK(with([](gp& p) { p.bond_per_byte = shannons_per_soma + 1; }) == genesis_refusal::bad_bonds);
  CHECK(with([](gp& p) { p.max_data_bytes = 0; }) == genesis_refusal::bad_bonds);
  CHECK(with([](gp& p) { p.max_data_bytes = (1u << 30) + 1; }) == genesis_refusal::bad_bonds);
  CHECK(with([](gp& p) { p.reveal_window_blocks = 0; }) == genesis_refusal::bad_bonds);
  CHECK(with([](gp& p) { p.max_audit_extensions = 9; }) == genesis_refusal::bad_bonds);

  for (const auto member : {&gp::model_unbonding_epochs, &gp::validator_unbonding_epochs}) {
    CHECK(with([&](gp& p) { p.*member = 0; }) == genesis_refusal::bad_staking);
    CHECK(with([&](gp& p) { p.*member = 4; }) == genesis_refusal::bad_staking);
    CHECK(!with([&](gp& p) { p.*member = 3; }));
  }
  CHECK(with([](gp& p) { p.committee_size = 0; }) == genesis_refusal::bad_staking);
  CHECK(with([](gp& p) { p.committee_size = 101; }) == genesis_refusal::bad_staking);
  CHECK(with([](gp& p) { p.max_power = {0}; }) == genesis_refusal::bad_staking);
  CHECK(with([](gp& p) { p.max_power = {10'001}; }) == genesis_refusal::bad_staking);
  CHECK(!with([](gp& p) { p.max_power = {1}; }));
  CHECK(!with([](gp& p) { p.committee_size = 1; }));
}

// Protocol §12.1.
TEST_CASE("each entry of a genesis is checked") {
  using rules::genesis_refusal;
  const auto good = small_genesis(2, std::vector{somebody(1)});
  const auto check = [&](auto change) {
    auto changed = good;
    change(changed);
    return met(rules::check_genesis(changed));
  };
  const auto fill_accounts = [](genesis& g, std::size_t count) {
    for (std::uint64_t i = 0; g.accounts.size() < count; ++i)
      g.accounts.push_back({id_from<address>(1'000 + i), {1}});
  };
  CHECK(!check([&](genesis& g) { fill_accounts(g, max_genesis_accounts); }));
  CHECK(check([&](genesis& g) { fill_accounts(g, max_genesis_accounts + 1); }) ==
        genesis_refusal::too_many_accounts);
  CHECK(check([](genesis& g) { g.accounts.push_back(g.accounts[0]); }) ==
        genesis_refusal::double_account);
  CHECK(check([](genesis& g) { g.validators.clear(); }) == genesis_refusal::no_validator);
  const auto fill_validators = [](genesis& g, std::size_t count) {
    for (std::uint64_t i = 0; g.validators.size() < count; ++i)
      g.validators.push_back({validator_person(2'000 + i).key, {1'000 * shannons_per_soma}});
  };
  CHECK(!check([&](genesis& g) { fill_validators(g, 100); }));
  CHECK(check([&](genesis& g) { fill_validators(g, 101); }) ==
        genesis_refusal::too_many_validators);
  CHECK(check([](genesis& g) { g.validators[1] = g.validators[0]; }) ==
        genesis_refusal::double_validator);
  CHECK(check([](genesis& g) { g.validators[1].consensus_key = {}; }) ==
        genesis_refusal::bad_validator_key);
  CHECK(check([](genesis& g) { g.validators[1].stake.value = 1'000 * shannons_per_soma - 1; }) ==
        genesis_refusal::validator_stake_too_low);
  CHECK(check([](genesis& g) {
          g.parameters.min_validator_stake = {0};
          g.validators[1].stake.value = 0;
        }) == genesis_refusal::validator_stake_too_low);
  const auto allocated = [](const genesis& g) {
    std::uint64_t sum = 0;
    for (const auto& a : g.accounts) sum += a.balance.value;
    for (const auto& v : g.validators) sum += v.stake.value;
    return sum;
  };
  const auto left = supply_cap.value - allocated(good);
  CHECK(!check([&](genesis& g) { g.accounts[0].balance.value += left; }));
  CHECK(check([&](genesis& g) { g.accounts[0].balance.value += left + 1; }) ==
        genesis_refusal::above_supply_cap);
  CHECK(check([&](genesis& g) { g.validators[0].stake.value += left + 1; }) ==
        genesis_refusal::above_supply_cap);
  CHECK(check([&](genesis& g) { g.accounts[0].balance.value = UINT64_MAX; }) ==
        genesis_refusal::above_supply_cap);
}

}  // namespace
}  // namespace soma::test
