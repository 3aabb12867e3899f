// Protocol §5 through blocks: joining, sitting and taking part.
#include "actors/rules/committee.hpp"

#include <doctest/doctest.h>

#include "actors/rules/pools.hpp"
#include "tests/actors/rules/network.hpp"

namespace soma::test {
namespace {

using rules::refusal;
constexpr std::uint64_t one = shannons_per_soma;

/// Three validators that hold 1,000, 1,500 and 2,000 SOMA and some money for fees.
struct town {
  person alice = somebody(1), bob = somebody(2);
  std::array<person, 3> v{validator_person(900), validator_person(901), validator_person(902)};
  network net;
  explicit town(const genesis& with) : net(with) {}
  town() : town(birth()) {}
  static genesis birth(std::size_t validators = 3) {
    auto genesis = small_genesis(validators, std::vector{somebody(1), somebody(2)});
    for (std::size_t i = 0; i < validators; ++i)
      genesis.accounts.push_back({validator_person(900 + i).where(), {10'000 * one}});
    // there are no rewards, so stakes change by deposits alone
    genesis.parameters.target_share_bps = 10'000;
    return genesis;
  }
  /// Sets a validator's pool at once. Deposits would take an epoch for the same.
  void rewrite(const person& who, stake_pool pool) {
    auto row = net.validator(who);
    auto chain = net.chain_now();
    chain.staked.value += pool.stake.value - row.pool.stake.value;
    chain.unissued.value -= pool.stake.value - row.pool.stake.value;
    row.pool = pool;
    const std::vector<row_change> changes{{validator_key(who.where()), encode(row)},
                                          {chain_key(), encode(chain)}};
    net.state.apply(changes);
    net.tree.apply(changes);
    REQUIRE(ledger::supply_is_whole(net.state));
  }
};

// Protocol §5.1.
TEST_CASE("a join founds a pool at once and has a seat from the next epoch on") {
  town w;
  const auto key = key_of(7);
  const auto balance = w.net.balance(w.alice);
  CHECK(!w.net.run(w.alice, w.net.join_of(w.alice, key, 1'200 * one)));
  // The fee for three rows (account, validator, consensus key) and a thousandth of the stake.
  CHECK(w.net.last.outcomes[0].fee.value == 1'000 + 3 * 300 + 1'200'000'000);
  CHECK(w.net.balance(w.alice) == balance - 1'200 * one - 1'200'001'900);
  const auto row = w.net.validator(w.alice);
  CHECK(row.consensus_key == key.public_half());
  CHECK(row.pool == stake_pool{{1'200 * one}, 1'200 * one, 1'200 * one});
  CHECK(row.wants_seat);
  REQUIRE(w.net.events(event_kind::validator_joined).size() == 1);
  CHECK(w.net.events(event_kind::validator_joined)[0].account == w.alice.where());
  CHECK(w.net.events(event_kind::validator_joined)[0].amount.value == 1'200 * one);
  CHECK(w.net.power(w.alice) == 0);
  CHECK(w.net.run(w.alice, tx::vote_on_submission{}) == refusal::voter_not_in_committee);
  const auto& done = w.net.end_epoch();
  CHECK(w.net.power(w.alice) == 2'105);  // 1,200 of 5,700
  CHECK(done.next_committee.size() == 4);
  CHECK(!rules::had_seat(w.net.consensus_key(key), {0}));
  CHECK(rules::had_seat(w.net.consensus_key(key), {1}));
  CHECK(!rules::had_seat(w.net.consensus_key(key), {2}));
  std::uint64_t sum = 0;
  for (const auto& seat : done.next_committee) sum += seat.power.value;
  CHECK(sum == 10'000);
  CHECK(w.net.events(event_kind::validator_seated).size() == 4);
  w.net.end_epoch();
  CHECK(!rules::had_seat(w.net.consensus_key(key), {0}));
  CHECK(rules::had_seat(w.net.consensus_key(key), {2}));
}

// Protocol §5.1.
TEST_CASE("joins are refused by the first check that fails") {
  town w;
  const auto key = key_of(7);
  auto join = w.net.join_of(w.alice, key, 999 * one);
  auto bad = join;
  bad.consensus_key = {};
  CHECK(w.net.run(w.alice, bad) == refusal::consensus_key_invalid);
  bad = join;
  bad.proof_of_possession[0] ^= 1;
  CHECK(w.net.run(w.alice, bad) == refusal::proof_of_possession_invalid);
  // Proofs for another account, for another network and by another key.
  CHECK(w.net.run(w.bob, join) == refusal::proof_of_possession_invalid);
  bad.proof_of_possession = signing::prove_possession(key, id_from<chain_id>(1), w.alice.where());
  CHECK(w.net.run(w.alice, bad) == refusal::proof_of_possession_invalid);
  bad.proof_of_possession = signing::prove_possession(key_of(8), w.net.chain, w.alice.where());
  CHECK(w.net.run(w.alice, bad) == refusal::proof_of_possession_invalid);
  // The key belongs to a validator of the genesis.
  CHECK(w.net.run(w.alice, w.net.join_of(w.alice, key_of(901), 999 * one)) ==
        refusal::consensus_key_taken);
  CHECK(w.net.run(w.alice, join) == refusal::stake_below_minimum);
  join.stake = {1'000 * one - 1};
  CHECK(w.net.run(w.alice, join) == refusal::stake_below_minimum);
  join.stake = {UINT64_MAX};
  CHECK(w.net.run(w.alice, join) == refusal::balance_too_low);
  join.stake = {1'000 * one};
  CHECK(!w.net.run(w.alice, join));
  CHECK(w.net.run(w.alice, join) == refusal::already_joined);
  CHECK(w.net.run(w.v[0], w.net.join_of(w.v[0], key_of(900), 0)) == refusal::already_joined);
  CHECK(w.net.run(w.bob, w.net.join_of(w.bob, key, 1'000 * one)) == refusal::consensus_key_taken);
}

TEST_CASE("a rotated key signs from the next epoch on, and the old one stays its owner's") {
  town w;
  const auto key_in_seat = [&] {
    return ledger::find_seat(w.net.state, w.v[0].where())->consensus_key;
  };
  CHECK(!w.net.run(w.v[0], w.net.join_of(w.v[0], key_of(50), 0)));
  CHECK(w.net.validator(w.v[0]).consensus_key == key_of(50).public_half());
  CHECK(key_in_seat() == key_of(900).public_half());
  w.net.end_epoch();
  CHECK(key_in_seat() == key_of(50).public_half());
  CHECK(w.net.run(w.alice, w.net.join_of(w.alice, key_of(900), 1'000 * one)) ==
        refusal::consensus_key_taken);
  // it comes back with more stake
  CHECK(!w.net.run(w.v[0], w.net.join_of(w.v[0], key_of(900), 5 * one)));
  CHECK(w.net.stake(w.v[0], w.v[0].where()).joining.value == 5 * one);
  w.net.end_epoch();
  CHECK(key_in_seat() == key_of(900).public_half());
  CHECK(w.net.validator(w.v[0]).pool == stake_pool{{1'005 * one}, 1'005 * one, 1'005 * one});
}

// Protocol §5.2.
TEST_CASE("a validator that leaves has no seat from the next epoch on and may come back") {
  town w;
  CHECK(w.net.run(w.alice, tx::leave_committee{}) == refusal::not_a_validator);
  CHECK(!w.net.run(w.v[1], tx::leave_committee{}));
  CHECK(w.net.events(event_kind::validator_leaving).size() == 1);
  CHECK(w.net.run(w.v[1], tx::leave_committee{}) == refusal::already_leaving);
  CHECK(w.net.power(w.v[1]) > 0);
  w.net.end_epoch();
  CHECK(w.net.power(w.v[1]) == 0);
  CHECK(w.net.power(w.v[0]) == 3'333);
  REQUIRE(w.net.events(event_kind::validator_unseated).size() == 1);
  CHECK(w.net.events(event_kind::validator_unseated)[0].account == w.v[1].where());
  CHECK(w.net.run(w.v[1], tx::vote_on_submission{}) == refusal::voter_not_in_committee);
  CHECK(!w.net.run(w.v[1], w.net.join_of(w.v[1], key_of(901), 0)));
  CHECK(w.net.power(w.v[1]) == 0);
  w.net.end_epoch();
  CHECK(w.net.power(w.v[1]) == 3'333);  // 1,500 of 4,500
  CHECK(rules::had_seat(w.net.consensus_key(key_of(901)), {0}));
  CHECK(!rules::had_seat(w.net.consensus_key(key_of(901)), {1}));
  CHECK(rules::had_seat(w.net.consensus_key(key_of(901)), {2}));
}

TEST_CASE("leaving with all of the stake and joining without any is no way around the minimum") {
  town w;
  CHECK(!w.net.run(w.v[1], tx::leave_committee{}));
  CHECK(!w.net.run(w.v[1], tx::withdraw_stake{w.v[1].where(), 1'500 * one}));
  CHECK(w.net.run(w.v[1], w.net.join_of(w.v[1], key_of(901), 0)) == refusal::stake_below_minimum);
  CHECK(w.net.run(w.v[1], w.net.join_of(w.v[1], key_of(901), 1'000 * one - 1)) ==
        refusal::stake_below_minimum);
}

TEST_CASE("the own stake and the deposits that wait to join it count for the minimum") {
  town w;
  CHECK(!w.net.run(w.v[2], tx::leave_committee{}));
  CHECK(!w.net.run(w.v[2], tx::withdraw_stake{w.v[2].where(), 1'600 * one}));
  w.net.end_epoch();
  CHECK(w.net.validator(w.v[2]).pool.stake.value == 400 * one);
  const auto stake_and_join = [&](std::uint64_t amount) {
    return w.net.run(w.v[2], w.net.join_of(w.v[2], key_of(902), amount));
  };
  CHECK(stake_and_join(600 * one - 1) == refusal::stake_below_minimum);
  CHECK(!stake_and_join(600 * one));
  CHECK(w.net.power(w.v[2]) == 0);
  // It joined with a deposit that still waits, so with another key it need not pay again.
  CHECK(!w.net.run(w.v[2], w.net.join_of(w.v[2], key_of(77), 0)));
  w.net.end_epoch();
  CHECK(w.net.validator(w.v[2]).pool.stake.value == 1'000 * one);
  CHECK(w.net.power(w.v[2]) == 2'857);  // 1,000 of 3,500
}

TEST_CASE(
    "a validator whose own stake fell below the minimum loses its seat, whatever others staked") {
  town w;
  // 5,000 SOMA in all, but the owner's part is a shannon too small.
  w.rewrite(w.v[2], {{5'000 * one}, 5'000 * one, 1'000 * one - 1});
  w.net.end_epoch();
  CHECK(w.net.power(w.v[2]) == 0);
  CHECK(w.net.power(w.v[0]) == 4'000);
  CHECK(w.net.events(event_kind::validator_unseated).size() == 1);
  w.rewrite(w.v[2], {{5'000 * one}, 5'000 * one, 1'000 * one});
  w.net.end_epoch();
  CHECK(w.net.power(w.v[2]) == 6'667);  // 5,000 of 7,500
}

// Protocol §4.9.
TEST_CASE("a pool counts at most ten times what its owner has in it") {
  town w;
  w.rewrite(w.v[2], {{50'000 * one}, 50'000 * one, 1'000 * one});
  w.net.end_epoch();
  CHECK(w.net.power(w.v[2]) == 8'000);  // 10,000 of 12,500
  CHECK(rules::counted_stake({{70}, 7, 7}).value == 70);
  CHECK(rules::counted_stake({{100}, 100, 10}).value == 100);
  CHECK(rules::counted_stake({{110}, 110, 10}).value == 100);
  CHECK(rules::counted_stake({{110}, 110, 0}).value == 0);
  CHECK(rules::counted_stake({}).value == 0);
}

// Protocol §5.3.
TEST_CASE("when no validator has the minimum the old committee stays") {
  town w;
  const auto before = ledger::read_committee(w.net.state);
  for (const auto& v : w.v) CHECK(!w.net.run(v, tx::leave_committee{}));
  w.net.end_epoch();
  const auto after = ledger::read_committee(w.net.state);
  REQUIRE(after.seats.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(after.seats[i].member == before.seats[i].member);
    CHECK(after.seats[i].power == before.seats[i].power);
    CHECK(after.seats[i].blocks_signed == 0);
  }
  CHECK(rules::had_seat(w.net.consensus_key(key_of(900)), {1}));
  CHECK(w.net.events(event_kind::validator_unseated).empty());
}

// Protocol §5.3.
TEST_CASE("the committee is the largest by stake, ties by address, at genesis and after it") {
  auto genesis = town::birth(5);
  genesis.parameters.committee_size = 3;
  genesis.parameters.min_model_stake = {1};
  for (std::size_t i = 0; i < 5; ++i)
    genesis.validators[i].stake = {(i == 4 ? 3'000 : 2'000) * one};
  town w(genesis);
  std::vector<address> equals;
  for (std::uint64_t i = 0; i < 4; ++i) equals.push_back(validator_person(900 + i).where());
  std::sort(equals.begin(), equals.end());
  const auto seated = [&] {
    std::set<address> members;
    for (const auto& s : ledger::read_committee(w.net.state).seats) members.insert(s.member);
    return members;
  };
  const std::set<address> expected{validator_person(904).where(), equals[0], equals[1]};
  CHECK(seated() == expected);
  w.net.end_epoch();
  CHECK(seated() == expected);
  // A shannon of another account lifts the last validator above the others.
  CHECK(!w.net.run(w.alice, tx::add_stake{equals[3], {1}}));
  w.net.end_epoch();
  CHECK(seated() == std::set<address>{validator_person(904).where(), equals[0], equals[3]});
  // Members stand in the order of their addresses, with powers by stake.
  const auto seats = ledger::read_committee(w.net.state).seats;
  CHECK(std::is_sorted(seats.begin(), seats.end(),
                       [](const auto& x, const auto& y) { return x.member < y.member; }));
  for (const auto& seat : seats) {
    CHECK(seat.power.value == (seat.member == validator_person(904).where() ? 4'286 : 2'857));
  }
}

TEST_CASE("more than a hundred want a seat: the hundred largest have one") {
  auto genesis = town::birth(100);
  for (auto& v : genesis.validators) v.stake = {2'000 * one};
  genesis.validators[50].stake = {1'001 * one};
  town w(genesis);
  CHECK(ledger::read_committee(w.net.state).seats.size() == 100);
  CHECK(!w.net.run(w.alice, w.net.join_of(w.alice, key_of(7), 1'001 * one - 1)));
  CHECK(!w.net.run(w.bob, w.net.join_of(w.bob, key_of(8), 1'002 * one)));
  w.net.end_epoch();
  CHECK(ledger::read_committee(w.net.state).seats.size() == 100);
  CHECK(w.net.power(w.alice) == 0);
  CHECK(w.net.power(w.bob) > 0);
  CHECK(w.net.power(validator_person(950)) == 0);
}

// Protocol §5.7.
TEST_CASE("took part: half of the blocks and half of the audits owed, rounded up") {
  const auto took_part = [](std::uint64_t blocks, std::uint64_t audits, std::uint64_t of_blocks,
                            std::uint64_t due) {
    return rules::took_part({{}, {}, 1, blocks, audits, due}, of_blocks);
  };
  CHECK(took_part(5, 0, 10, 0));
  CHECK(!took_part(4, 0, 10, 0));
  CHECK(took_part(6, 0, 11, 0));
  CHECK(!took_part(5, 0, 11, 0));
  CHECK(took_part(1, 3, 1, 5));
  CHECK(!took_part(1, 2, 1, 5));
  CHECK(!took_part(0, 9, 1, 9));
}

// Protocol §5.8.
TEST_CASE("members that signed half of the blocks are paid by power, the others' part goes on") {
  auto genesis = town::birth();
  genesis.parameters.target_share_bps = 0;
  town w(genesis);
  const auto seats = ledger::read_committee(w.net.state).seats;
  const auto stake = [&](std::size_t i) {
    return ledger::read_validator(w.net.state, seats[i].member)->pool.stake.value;
  };
  const auto first = stake(0), second = stake(1), third = stake(2);
  // Of four blocks three show signatures. One member signs two of the three, one signs one, and one
  // signs all.
  w.net.silent = {seats[0].member, seats[1].member};
  w.net.block();
  w.net.block();
  w.net.silent = {seats[1].member};
  w.net.block();
  w.net.silent.clear();
  const auto unissued = ledger::read_chain(w.net.state).unissued.value;
  w.net.end_epoch();
  REQUIRE(w.net.events(event_kind::emission_released).size() == 1);
  const auto released = w.net.events(event_kind::emission_released)[0].detail;
  const auto part = [&](std::size_t i) { return released * seats[i].power.value / 10'000; };
  CHECK(released > 0);
  // All of it leaves the unissued money: as parts of the members, or into the next budget.
  CHECK(unissued - ledger::read_chain(w.net.state).unissued.value == released);
  CHECK(stake(0) == first + part(0));
  CHECK(stake(1) == second);
  CHECK(stake(2) == third + part(2));
  CHECK(w.net.chain_now().target_pot.value == released - part(0) - part(2));
  const auto paid = w.net.events(event_kind::validator_paid);
  const auto absent = w.net.events(event_kind::validator_absent);
  REQUIRE(paid.size() == 2);
  REQUIRE(absent.size() == 1);
  CHECK(paid[0].account == seats[0].member);
  CHECK(paid[0].amount.value == part(0));
  CHECK(paid[0].detail == 2ull << 32);
  CHECK(paid[1].detail == 3ull << 32);
  CHECK(absent[0].account == seats[1].member);
  CHECK(absent[0].amount.value == part(1));
  CHECK(absent[0].detail == 1ull << 32);
}

// Protocol §5.6.
TEST_CASE(
    "an epoch's first block shows no work of this epoch, and an epoch of one block has none") {
  town w;
  w.net.silent = {w.v[0].where()};
  for (int epoch = 0; epoch < 3; ++epoch) {  // epochs of one block each
    CAPTURE(epoch);
    w.net.end_epoch();
    CHECK(w.net.events(event_kind::validator_paid).size() == 3);
    CHECK(w.net.events(event_kind::validator_absent).empty());
  }
  w.net.block();
  for (const auto& who : w.v) {
    CHECK(ledger::find_seat(w.net.state, who.where())->blocks_signed == 0);
  }
  w.net.end_epoch();  // the epoch has two blocks, of which one shows signatures
  CHECK(w.net.events(event_kind::validator_paid).size() == 2);
  CHECK(w.net.events(event_kind::validator_absent).at(0).account == w.v[0].where());
}

// Protocol §5.6.
TEST_CASE("a signature counts once a block, and only a member's") {
  town w;
  w.net.silent = {w.v[0].where(), w.v[1].where(), w.v[2].where()};
  w.net.block();
  auto input = w.net.next_input(10);
  input.signers = {w.v[0].where(), w.v[0].where(), w.alice.where(), w.v[2].where()};
  w.net.state.apply(network::execute(input, w.net.state, w.net.active, w.net.genesis).changes);
  CHECK(ledger::find_seat(w.net.state, w.v[0].where())->blocks_signed == 1);
  CHECK(ledger::find_seat(w.net.state, w.v[1].where())->blocks_signed == 0);
  CHECK(ledger::find_seat(w.net.state, w.v[2].where())->blocks_signed == 1);
  CHECK(ledger::read_committee(w.net.state).seats.size() == 3);
}

// Protocol §5.7.
TEST_CASE("audit votes count for taking part: half of those due, and counts begin anew") {
  auto genesis = town::birth();
  genesis.parameters.target_share_bps = 8'000;
  genesis.validators[1].stake = {2'000 * one};
  town w(genesis);
  (void)w.net.active_models(w.alice, 3);
  std::vector<honest_submission> shown;
  for (std::uint64_t i = 0; i < 3; ++i) {
    shown.push_back(submission_for(w.net.open_targets().front(), w.bob, 10 * i));
    REQUIRE(!w.net.run(w.bob, shown.back().claim));
    REQUIRE(!w.net.run(w.bob, shown.back().reveal));
  }
  // The powers are 4000, 4000 and 2000, in order of stake. The first two members are a quorum; the
  // last one with one of them is not.
  const std::vector<person> v(w.v.rbegin(), w.v.rend());
  const auto vote = [&](std::size_t voter, std::size_t which) {
    CHECK(
        !w.net.run(v[voter], tx::vote_on_submission{shown[which].claim.target, audit_verdict::ok}));
  };
  const auto seat = [&](std::size_t i) { return *ledger::find_seat(w.net.state, v[i].where()); };
  vote(2, 0);
  vote(0, 0);
  CHECK(seat(0).audits_due == 0);  // an audit is due when it is decided
  CHECK(seat(0).audits_cast == 0);
  vote(1, 0);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(seat(i).audits_due == 1);
    CHECK(seat(i).audits_cast == 1);
  }
  for (const std::size_t which : {1, 2}) {
    vote(0, which);
    vote(1, which);
  }
  for (std::size_t i = 0; i < 3; ++i) CHECK(seat(i).audits_due == 3);
  CHECK(seat(0).audits_cast == 3);
  CHECK(seat(1).audits_cast == 3);
  CHECK(seat(2).audits_cast == 1);
  vote(2, 2);  // the vote is late, but it counts as cast
  CHECK(seat(2).audits_cast == 2);
  CHECK(seat(2).audits_due == 3);
  w.net.silent = {v[0].where()};
  for (int i = 0; i < 40; ++i) w.net.block();
  w.net.end_epoch();
  CHECK(w.net.events(event_kind::validator_paid).size() == 2);
  REQUIRE(w.net.events(event_kind::validator_absent).size() == 1);
  CHECK(w.net.events(event_kind::validator_absent)[0].account == v[0].where());
  CHECK((w.net.events(event_kind::validator_absent)[0].detail & 0xffff'ffff) == 3);
  CHECK(w.net.events(event_kind::validator_absent)[0].audits_due == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(seat(i).audits_due == 0);
    CHECK(seat(i).audits_cast == 0);
    CHECK(seat(i).blocks_signed == 0);
  }
  // One of three audits is less than half of them.
  w.net.silent.clear();
  shown.clear();
  for (std::uint64_t i = 0; i < 3; ++i) {
    shown.push_back(submission_for(w.net.open_targets().front(), w.bob, 100 + 10 * i));
    REQUIRE(!w.net.run(w.bob, shown.back().claim));
    REQUIRE(!w.net.run(w.bob, shown.back().reveal));
    if (i == 0) vote(2, i);
    vote(0, i);
    vote(1, i);
  }
  w.net.end_epoch();
  REQUIRE(w.net.events(event_kind::validator_absent).size() == 1);
  CHECK(w.net.events(event_kind::validator_absent)[0].account == v[2].where());
  CHECK((w.net.events(event_kind::validator_absent)[0].detail & 0xffff'ffff) == 1);
}

// Protocol §1.3.
TEST_CASE("the hash of a committee changes with its members, keys, powers and order") {
  std::vector<committee_seat> seats{{id_from<address>(1), id_from(2).value, 5'000, 0, 0},
                                    {id_from<address>(3), id_from(4).value, 5'000, 0, 0}};
  const auto before = signing::committee_hash(seats);
  auto other = seats;
  other[0].blocks_signed = other[1].audits_cast = other[0].audits_due = 9;
  CHECK(signing::committee_hash(other) == before);
  other[1].power = {4'999};
  CHECK(signing::committee_hash(other) != before);
  other = seats;
  std::swap(other[0], other[1]);
  CHECK(signing::committee_hash(other) != before);
  other = seats;
  other[0].consensus_key[0] ^= 1;
  CHECK(signing::committee_hash(other) != before);
  other = seats;
  other.pop_back();
  CHECK(signing::committee_hash(other) != before);
}

}  // namespace
}  // namespace soma::test
