#include <doctest/doctest.h>

#include "actors/ledger/state_lists.hpp"
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

std::set<hash256> active_in(const memory_state& state) {
  std::set<hash256> all;
  for (const auto& model : ledger::active_model_rows(state, 1'000)) {
    all.insert(model.id.as<hash_tag>());
  }
  return all;
}

std::set<hash256> open_in(const memory_state& state) {
  std::set<hash256> all;
  for (const auto& target : ledger::open_targets(state, 1'000)) {
    all.insert(target.id.as<hash_tag>());
  }
  return all;
}

std::set<hash256> listed(const memory_state& state, list_kind which) {
  const auto ids = ledger::read_list(state, which);
  std::set<hash256> all(ids.begin(), ids.end());
  CHECK(all.size() == ids.size());
  return all;
}

void check_lists(const memory_state& state) {
  CHECK(listed(state, list_kind::active_models) == active_in(state));
  CHECK(listed(state, list_kind::open_targets) == open_in(state));
}

// Protocol §11.6, protocol §7.7 and protocol §9.4.
TEST_CASE("a claimed target leaves the list at once, its replacement joins with the next block") {
  const std::vector people{somebody(1), somebody(2)};
  network net(small_genesis(1, people));
  net.active_models(people[0], 2);
  check_lists(net.state);
  const auto target = net.open_targets().front();
  REQUIRE(!net.run(people[1], submission_for(target, people[1], 5).claim));
  CHECK(!listed(net.state, list_kind::open_targets).contains(target.id.as<hash_tag>()));
  check_lists(net.state);
  const auto before = net.chain_now().open_targets;
  net.block();
  CHECK(net.chain_now().open_targets == before + 1);
  check_lists(net.state);
  net.end_epoch();
  CHECK(net.chain_now().open_targets > 0);
  check_lists(net.state);
}

// Protocol §11.6: a claim that is refused fills nothing.
TEST_CASE("a refused claim leaves the lists as they are") {
  const std::vector people{somebody(1), somebody(2)};
  network net(small_genesis(1, people));
  net.active_models(people[0], 1);
  auto claim = submission_for(net.open_targets().front(), people[1], 5).claim;
  claim.winner.version = 7;
  const auto before = ledger::read_list(net.state, list_kind::open_targets);
  CHECK(net.run(people[1], claim) == refusal::model_not_assigned);
  CHECK(ledger::read_list(net.state, list_kind::open_targets) == before);
}

// Protocol §11.6: the fee of a claim does not depend on the length of a list.
TEST_CASE("nobody pays for the rows of a list") {
  const std::vector people{somebody(1), somebody(2)};
  auto genesis = small_genesis(1, people);
  genesis.parameters.row_byte_fee = 1'000;
  network net(genesis);
  net.active_models(people[0], 1);
  std::set<std::uint64_t> fees;
  for (std::uint64_t i = 0; i < 3; ++i) {
    REQUIRE(!net.run(people[1],
                     submission_for(net.open_targets().front(), people[1], 5 + 9 * i).claim));
    fees.insert(net.last.outcomes.back().fee.value);
  }
  CHECK(fees.size() == 1);
}

// Protocol §11.6.
TEST_CASE("an updated model stays listed, a retired or slashed one leaves") {
  const std::vector people{somebody(1)};
  network net(small_genesis(1, people));
  const auto models = net.active_models(people[0], 3);
  auto update = network::plan(9);
  update.id = models[0].id;
  REQUIRE(!net.run(people[0], network::commit_of(people[0], update, models[0].id, 0)));
  net.end_epoch();
  REQUIRE(!net.run(people[0], network::reveal_of(update)));
  net.judge({update.id, 2});
  REQUIRE(!net.run(people[0], tx::retire_model{models[1].id}));
  check_lists(net.state);
  net.end_epoch();
  REQUIRE(ledger::read_model(net.state, models[0].id)->active_version == 2);
  CHECK(net.chain_now().active_models == 2);
  check_lists(net.state);
  net.judge({models[2].id, 1}, model_verdict::wrong_hash);
  net.block();
  check_lists(net.state);
}

// Protocol §11.6: more entries than one page holds.
TEST_CASE("a long list has whole pages, and those that are not needed any more are removed") {
  const std::vector people{somebody(1)};
  auto genesis = small_genesis(1, people);
  genesis.parameters.initial_targets = 150;
  network net(genesis);
  const auto models = net.active_models(people[0], 1);
  CHECK(net.chain_now().open_targets == 150);
  for (const std::uint32_t page : {0, 1, 2}) {
    const auto row = net.state.find(list_key({list_kind::open_targets, page}));
    REQUIRE(row.has_value());
    CHECK(decode<list_row>(*row)->ids.size() == (page < 2 ? 64 : 22));
  }
  check_lists(net.state);
  // Without a model the next epoch has no targets.
  REQUIRE(!net.run(people[0], tx::retire_model{models[0].id}));
  net.end_epoch();
  CHECK(net.chain_now().open_targets == 0);
  CHECK(net.chain_now().active_models == 0);
  std::size_t pages = 0;
  net.state.scan(table_prefix(ledger_table::list), [&](byte_view, byte_view) { ++pages; });
  CHECK(pages == 0);
}

}  // namespace
}  // namespace soma::test
