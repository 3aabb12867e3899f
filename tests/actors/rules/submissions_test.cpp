#include <doctest/doctest.h>

#include <array>

#include "actors/rules/claims.hpp"
#include "actors/rules/difficulty.hpp"
#include "actors/rules/settlement.hpp"
#include "tests/actors/rules/network.hpp"

namespace soma::test {
namespace {

using rules::refusal;

/// Three validators with nearly a third of the power each, three active models, and open targets.
struct arena {
  person owner = somebody(1), alice = somebody(2), mallory = somebody(3), poor = somebody(4);
  network net{arena_genesis()};
  std::vector<model_plan> models = net.active_models(owner, 3);

  genesis arena_genesis() const {
    auto genesis = small_genesis(3, std::vector{owner, alice, mallory});
    genesis.accounts.push_back({poor.where(), {10'000}});
    return genesis;
  }
  [[nodiscard]] target_status status(const target_id& id) const {
    return ledger::read_target(net.state, id)->status;
  }
  [[nodiscard]] submission_row submission(const target_id& id) const {
    return *ledger::read_submission(net.state, id);
  }
  rules::refused vote(std::uint64_t voter, const target_id& target, audit_verdict verdict) {
    // Members 0 and 2 have a quorum together (3334 each); member 1 has the rest.
    return net.run(validator_person(std::array<std::uint64_t, 3>{901, 900, 902}[voter]),
                   tx::vote_on_submission{target, verdict});
  }
  honest_submission claimed(const person& who, std::uint64_t number) {
    const auto s = submission_for(net.open_targets().front(), who, number);
    REQUIRE(!net.run(who, s.claim));
    return s;
  }
  honest_submission revealed(const person& who, std::uint64_t number) {
    const auto s = claimed(who, number);
    REQUIRE(!net.run(who, s.reveal));
    return s;
  }
};

// Protocol §8.1.
TEST_CASE("claims are refused by the first check that fails, in the order of the protocol") {
  arena a;
  const auto target = a.net.open_targets().front();
  // The claim is wrong in every way at first. Then one fault after the other is removed.
  tx::claim_target c{id_from<target_id>(1),
                     {id_from<model_id>(1), 1},
                     0x7fc00000,
                     rules::max_radius_q30 + 1,
                     0,
                     {}};
  CHECK(a.net.run(a.poor, c) == refusal::target_unknown);
  const auto taken = a.net.open_targets().back();
  CHECK(!a.net.run(a.alice, submission_for(taken, a.alice, 5).claim));
  c.target = taken.id;
  CHECK(a.net.run(a.poor, c) == refusal::target_not_open);
  c.target = target.id;
  CHECK(a.net.run(a.poor, c) == refusal::model_not_assigned);
  c.winner = {target.row.assigned[0].model, 2};
  CHECK(a.net.run(a.poor, c) == refusal::model_not_assigned);
  c.winner = target.row.assigned[0];
  for (const std::uint32_t bad :
       {0x7fc00000u, 0x7f800000u, 0xff800000u, 0xbf800000u, 0x80000000u}) {
    c.loss_bits = bad;
    CHECK(a.net.run(a.alice, c) == refusal::loss_invalid);
  }
  c.loss_bits = 0x3f800000;
  CHECK(a.net.run(a.alice, c) == refusal::distance_out_of_range);
  c.distance_q30 = rules::max_radius_q30;
  if (target.row.radius_q30 < rules::max_radius_q30) {
    CHECK(a.net.run(a.alice, c) == refusal::outside_radius);
  }
  c.distance_q30 = target.row.radius_q30;
  CHECK(a.net.run(a.alice, c) == refusal::size_out_of_range);
  c.size_bytes = a.net.genesis.parameters.max_data_bytes + 1;
  CHECK(a.net.run(a.alice, c) == refusal::size_out_of_range);
  c.size_bytes = 1;
  CHECK(a.net.run(a.poor, c) == refusal::bond_unaffordable);
  CHECK(!a.net.run(a.alice, c));
  const auto expired = a.net.open_targets().front().id;
  a.net.end_epoch();
  c.target = expired;
  CHECK(a.net.run(a.alice, c) == refusal::target_not_open);
}

TEST_CASE("a distance outside the radius is refused once the radius is below 2") {
  arena a;
  auto chain = a.net.chain_now();
  const auto target = a.net.open_targets().front();
  auto narrow = target.row;
  narrow.radius_q30 = 1u << 30;
  a.net.state.apply({{target_key(target.id), encode(narrow)}});
  a.net.tree.apply(std::vector<row_change>{{target_key(target.id), encode(narrow)}});
  auto c = submission_for({target.id, narrow}, a.alice, 1).claim;
  c.distance_q30 = (1u << 30) + 1;
  CHECK(a.net.run(a.alice, c) == refusal::outside_radius);
  narrow.epoch.value = chain.epoch.value - 1;
  a.net.state.apply({{target_key(target.id), encode(narrow)}});
  CHECK(a.net.run(a.alice, c) == refusal::target_of_other_epoch);
}

// Protocol §8.1 and §7.7.
TEST_CASE("a claim locks its bond and fills the target; the next block opens a replacement") {
  arena a;
  const auto open = a.net.open_targets();
  const auto balance = a.net.balance(a.alice);
  const auto s = a.claimed(a.alice, 1);
  const auto bond = a.submission(s.claim.target).bond.value;
  CHECK(bond == std::max(open.front().row.reward.value, std::uint64_t{65'000}));
  CHECK(a.net.chain_now().bonds.value == bond);
  CHECK(a.net.balance(a.alice) == balance - bond - a.net.last.outcomes[0].fee.value);
  CHECK(a.status(s.claim.target) == target_status::filled);
  CHECK(a.net.open_targets().size() == open.size() - 1);
  CHECK(a.net.chain_now().targets_waiting == 1);
  a.net.block();
  CHECK(a.net.open_targets().size() == open.size());
  CHECK(a.status(signing::target_id_of(a.net.chain_now().entropy, 0)) == target_status::open);
  CHECK(a.net.run(a.mallory, submission_for(open.front(), a.mallory, 9).claim) ==
        refusal::target_not_open);
}

TEST_CASE("bonds cover the reward and the size, and refuse what does not fit") {
  genesis_parameters p;
  CHECK(rules::bond_for(p, {1'000'000}, 1)->value == 1'000'000);
  CHECK(rules::bond_for(p, {1'000'000}, 20'000)->value == 1'300'000);
  p.bond_reward_divisor = 10;
  CHECK(rules::bond_for(p, {1'000'000}, 1)->value == 100'000);
  CHECK(!rules::bond_for(p, {0}, UINT64_MAX));
}

// Protocol §8.2.
TEST_CASE("reveals are refused by the first check that fails, in the order of the protocol") {
  arena a;
  const auto s = a.claimed(a.alice, 1);
  auto r = s.reveal;
  r.target = id_from<target_id>(1);
  CHECK(a.net.run(a.mallory, r) == refusal::target_unknown);
  r.target = a.net.open_targets().back().id;
  CHECK(a.net.run(a.mallory, r) == refusal::target_not_awaiting_reveal);
  r = s.reveal;
  r.salt.value[0] ^= 1;
  CHECK(a.net.run(a.mallory, r) == refusal::not_the_submitter);
  CHECK(a.net.run(a.alice, r) == refusal::data_commitment_mismatch);
  r = s.reveal;
  r.data.value[0] ^= 1;
  CHECK(a.net.run(a.alice, r) == refusal::data_commitment_mismatch);
  r = s.reveal;
  r.blob.value[0] ^= 1;  // the blob of another
  CHECK(a.net.run(a.alice, r) == refusal::data_commitment_mismatch);
  CHECK(!a.net.run(a.alice, s.reveal));
  CHECK(a.net.chain_now().hits == 0);  // a hit settles
  CHECK(a.net.run(a.alice, s.reveal) == refusal::target_not_awaiting_reveal);
  // The same data for another target: the commitment is right, but the data is already used.
  auto again = submission_for(a.net.open_targets().front(), a.alice, 1);
  CHECK(!a.net.run(a.alice, again.claim));
  CHECK(a.net.run(a.alice, again.reveal) == refusal::data_already_used);
}

TEST_CASE(
    "a reveal may come 200 blocks or a 24th of an epoch after the claim, and not after the next "
    "epoch") {
  genesis_parameters p;
  p.epoch_ms = 24'000;
  submission_row s;
  s.claimed_at = {100};
  s.claimed_ms = 5'000;
  s.claimed_in = {7};
  const auto is_open = [&](std::uint64_t height, std::uint64_t ms, std::uint64_t epoch) {
    return rules::reveal_window_open(p, s, {height}, ms, {epoch});
  };
  CHECK(is_open(100, 5'000, 7));
  CHECK(is_open(300, 90'000, 8));   // few blocks, though much time
  CHECK(is_open(9'000, 6'000, 7));  // little time, though many blocks
  CHECK(!is_open(301, 6'001, 7));
  CHECK(!is_open(101, 5'001, 9));
  arena a;
  const auto late = a.claimed(a.alice, 1);
  const auto in_time = a.claimed(a.alice, 10);
  for (int i = 0; i < 18; ++i) a.net.block();
  CHECK(!a.net.run(a.alice, in_time.reveal));  // 20 blocks after its claim
  CHECK(a.net.run(a.alice, late.reveal) == refusal::reveal_window_over);
}

// Protocol §8.2.1 and §7.11.
TEST_CASE("never revealed: the bond burns, the reward goes to the next budget, no one is paid") {
  arena a;
  const auto s = a.claimed(a.mallory, 1);
  const auto bond = a.submission(s.claim.target).bond.value;
  a.net.end_epoch();  // the window is still open in the next epoch
  CHECK(a.status(s.claim.target) == target_status::filled);
  const auto balance = a.net.balance(a.mallory);
  const auto burned = a.net.chain_now().burned.value;
  a.net.end_epoch();
  CHECK(a.status(s.claim.target) == target_status::slashed);
  CHECK(a.net.balance(a.mallory) == balance);
  CHECK(a.net.chain_now().burned.value == burned + bond);
  CHECK(a.net.chain_now().bonds.value == 0);
  CHECK(a.net.run(a.mallory, s.reveal) == refusal::target_not_awaiting_reveal);
}

// Protocol §8.3.
TEST_CASE("votes are refused in order: not a member, no target, not revealed, twice") {
  arena a;
  a.net.give_fees_to_members(a.owner);
  const auto s = a.claimed(a.alice, 1);
  const auto id = s.claim.target;
  CHECK(a.net.run(a.alice, tx::vote_on_submission{id, audit_verdict::ok}) ==
        refusal::voter_not_in_committee);
  CHECK(a.vote(0, id_from<target_id>(2), audit_verdict::ok) == refusal::target_unknown);
  CHECK(a.vote(0, id, audit_verdict::ok) == refusal::submission_not_revealed);
  CHECK(!a.net.run(a.alice, s.reveal));
  CHECK(!a.vote(0, id, audit_verdict::ok));
  CHECK(a.net.last.outcomes[0].fee.value == 0);
  CHECK(a.vote(0, id, audit_verdict::ok) == refusal::already_voted);
}

// Protocol §5.5, §8.4 and §8.4.2.
TEST_CASE(
    "settled by a quorum: half and the odd shannon to the submitter, half to the model, the bond "
    "returned") {
  arena a;
  const auto start = a.net.balance(a.alice);
  const auto s = a.revealed(a.alice, 1);
  const auto id = s.claim.target;
  std::uint64_t fees = 0;
  for (const auto& p : {a.alice}) fees += start - a.net.balance(p) - a.submission(id).bond.value;
  const auto reward = ledger::read_target(a.net.state, id)->reward.value;
  const auto model = *ledger::read_model(a.net.state, s.claim.winner.model);
  const auto owner = a.net.balance(a.owner);
  CHECK(!a.vote(0, id, audit_verdict::ok));
  CHECK(!a.vote(1, id, audit_verdict::wrong_loss));
  CHECK(a.status(id) == target_status::revealed);
  CHECK(!a.vote(2, id, audit_verdict::ok));
  CHECK(a.status(id) == target_status::settled);
  CHECK(a.net.chain_now().hits == 1);
  CHECK(a.net.chain_now().slice_hits == 1);
  CHECK(a.net.balance(a.alice) == start - fees + reward - reward / 2);
  const auto commission = reward / 2 * model.commission_bps / 10'000;
  CHECK(a.net.balance(a.owner) == owner + commission);
  CHECK(ledger::read_model(a.net.state, s.claim.winner.model)->pool.stake.value ==
        model.pool.stake.value + reward / 2 - commission);
  CHECK(a.net.chain_now().bonds.value == 0);
}

// Protocol §8.4.3.
TEST_CASE(
    "slashed by a quorum: half of the bond to those who voted against, by power, the rest burned") {
  arena a;
  const auto s = a.revealed(a.mallory, 1);
  const auto id = s.claim.target;
  const auto bond = a.submission(id).bond.value;
  const auto reward = ledger::read_target(a.net.state, id)->reward.value;
  const auto before = a.net.chain_now();
  const auto mallory = a.net.balance(a.mallory);
  CHECK(!a.vote(0, id, audit_verdict::wrong_loss));
  CHECK(!a.vote(1, id, audit_verdict::ok));
  CHECK(!a.vote(2, id, audit_verdict::wrong_winner));
  CHECK(a.status(id) == target_status::slashed);
  CHECK(a.net.balance(a.mallory) == mallory);
  const auto paid = a.net.balance(validator_person(901)) + a.net.balance(validator_person(902));
  CHECK(paid <= bond / 2);
  CHECK(paid + 2 >= bond / 2);
  CHECK(a.net.balance(validator_person(900)) == 0);
  CHECK(a.net.chain_now().burned.value == before.burned.value + bond - paid);
  const auto flowed = a.net.chain_now().flowed.value - before.flowed.value;
  CHECK(a.net.chain_now().target_pot.value == before.target_pot.value + flowed + reward);
}

// Protocol §8.3.
TEST_CASE("a vote after the decision changes no balance, until the audit is history") {
  arena a;
  const auto s = a.revealed(a.alice, 1);
  const auto id = s.claim.target;
  CHECK(!a.vote(0, id, audit_verdict::ok));
  CHECK(!a.vote(2, id, audit_verdict::ok));
  REQUIRE(a.status(id) == target_status::settled);
  const auto before = a.net.chain_now();
  CHECK(!a.vote(1, id, audit_verdict::wrong_loss));
  CHECK(a.status(id) == target_status::settled);
  CHECK(a.net.chain_now().balances == before.balances);
  CHECK(ledger::find_seat(a.net.state, validator_person(900).where())->audits_cast == 0);
  const auto other = a.revealed(a.alice, 20).claim.target;
  CHECK(!a.vote(0, other, audit_verdict::ok));
  CHECK(!a.vote(2, other, audit_verdict::ok));
  a.net.end_epoch();
  a.net.end_epoch();
  a.net.give_fees_to_members(a.owner);
  CHECK(a.vote(1, other, audit_verdict::ok) == refusal::audit_too_old);
}

// Protocol §8.4.2.
TEST_CASE("the odd shannon of a reward is the submitter's") {
  bool seen_odd = false;
  for (std::uint64_t epochs = 3'000; epochs < 3'020 && !seen_odd; ++epochs) {
    const auto owner = somebody(1), alice = somebody(2);
    auto genesis = small_genesis(1, std::vector{owner, alice});
    genesis.parameters.emission_epochs = epochs;
    network net(genesis);
    (void)net.active_models(owner, 1);
    const auto target = net.open_targets().front();
    const auto reward = target.row.reward.value;
    if (reward % 2 == 0) continue;
    seen_odd = true;
    const auto s = submission_for(target, alice, 1);
    CHECK(!net.run(alice, s.claim));
    CHECK(!net.run(alice, s.reveal));
    const auto bond = ledger::read_submission(net.state, s.claim.target)->bond.value;
    const auto balance = net.balance(alice);
    CHECK(
        !net.run(validator_person(900), tx::vote_on_submission{s.claim.target, audit_verdict::ok}));
    CHECK(net.balance(alice) == balance + bond + (reward + 1) / 2);
    REQUIRE(net.events(event_kind::model_paid).size() == 1);
    CHECK(net.events(event_kind::model_paid)[0].amount.value == reward / 2);
  }
  CHECK(seen_odd);
}

TEST_CASE("a copied claim wins nothing: its commitment cannot be opened by another sender") {
  arena a;
  const auto targets = a.net.open_targets();
  const auto honest = submission_for(targets[0], a.alice, 1);
  auto copy = honest.claim;
  copy.target = targets[1].id;
  copy.winner = targets[1].row.assigned[0];
  copy.distance_q30 = targets[1].row.radius_q30 / 2;
  a.net.send(a.alice, honest.claim);
  a.net.send(a.mallory, copy);
  a.net.block();
  a.net.send(a.alice, honest.reveal);
  auto opened = honest.reveal;
  opened.target = copy.target;
  a.net.send(a.mallory, opened);
  const auto& done = a.net.block();
  CHECK(!done.outcomes[0].reason);
  CHECK(done.outcomes[1].reason == refusal::data_commitment_mismatch);
  const auto bond = a.submission(copy.target).bond.value;
  const auto mallory = a.net.balance(a.mallory);
  for (std::uint64_t v = 0; v < 3; ++v) CHECK(!a.vote(v, honest.claim.target, audit_verdict::ok));
  a.net.end_epoch();
  a.net.end_epoch();
  CHECK(a.status(honest.claim.target) == target_status::settled);
  CHECK(a.status(copy.target) == target_status::slashed);
  CHECK(a.net.balance(a.mallory) == mallory);
  CHECK(a.net.chain_now().burned.value >= bond);
}

}  // namespace
}  // namespace soma::test
