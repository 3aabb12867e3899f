// How versions are judged, and the attacks on it: each test runs one and asserts what it brings.
#include <doctest/doctest.h>

#include "actors/rules/emission.hpp"
#include "actors/rules/epoch.hpp"
#include "actors/rules/models.hpp"
#include "tests/actors/rules/network.hpp"

namespace soma::test {
namespace {

using rules::refusal;

constexpr std::uint64_t one = shannons_per_soma;

/// Three validators, of which any two are a quorum unless one of them is the second.
struct court {
  person owner = somebody(1), other = somebody(2);
  network net{small_genesis(3, std::vector{owner, other})};

  [[nodiscard]] model_row model(const model_id& id) const {
    return *ledger::read_model(net.state, id);
  }
  [[nodiscard]] model_version_row version(const model_version_ref& which) const {
    return *ledger::read_version(net.state, which);
  }
  rules::refused vote(std::uint64_t number, const model_version_ref& which, model_verdict verdict) {
    return net.run(validator_person(number), tx::vote_on_model{which, verdict});
  }
  [[nodiscard]] std::uint64_t power_of(std::initializer_list<std::uint64_t> numbers) const {
    std::uint64_t power = 0;
    for (const auto n : numbers) power += net.power(validator_person(n));
    return power;
  }
};

// Protocol §6.5.
TEST_CASE("votes on a version are refused in the listed order") {
  court c;
  c.net.give_fees_to_members(c.owner);
  const auto m = c.net.revealed_model(c.owner, 1);
  const model_version_ref which{m.id, 1};
  const auto bad = model_verdict::wrong_hash;
  CHECK(c.net.run(c.owner, tx::vote_on_model{which, bad}) == refusal::voter_not_in_committee);
  CHECK(c.vote(901, {id_from<model_id>(1), 1}, bad) == refusal::model_unknown);
  CHECK(c.vote(901, {m.id, 2}, bad) == refusal::version_unknown);
  CHECK(!c.vote(901, which, bad));
  CHECK(c.vote(901, which, bad) == refusal::already_voted);
  CHECK(!c.vote(902, which, model_verdict::not_finite));
  CHECK(c.vote(900, which, bad) == refusal::version_not_on_trial);
}

// Protocol §6.6.
TEST_CASE(
    "a quorum of bad verdicts takes 95 % of the stake and pays no voter: half burns, half is all "
    "validators'") {
  court c;
  const auto m = c.net.revealed_model(c.owner, 1, 1'000 * one);
  const model_version_ref which{m.id, 1};
  REQUIRE(c.power_of({901, 902}) >= 6'667);
  CHECK(!c.vote(900, which, model_verdict::good));
  CHECK(!c.vote(901, which, model_verdict::wrong_hash));
  CHECK(c.model(m.id).status == model_status::committed);
  const auto before = c.net.chain_now();
  CHECK(!c.vote(902, which, model_verdict::wrong_architecture));
  const auto after = c.net.chain_now();
  const std::uint64_t taken = 950 * one;
  CHECK(c.model(m.id).pool.stake.value == 50 * one);
  CHECK(c.model(m.id).status == model_status::inactive);
  CHECK(c.version(which).status == version_status::bad);
  CHECK(after.burned.value == before.burned.value + taken / 2);
  CHECK(after.validator_pay.value == taken / 2);
  CHECK(after.balances == before.balances);  // no voter was paid
  REQUIRE(c.net.events(event_kind::model_slashed).size() == 1);
  CHECK(c.net.events(event_kind::model_slashed)[0].detail == taken / 2);
  // The epoch's end divides it by power, also to the member that called the model good.
  const auto share = c.net.genesis.parameters.target_share_bps;
  const auto pay = rules::split_emission(after.epoch_emission, share).validators.value + taken / 2;
  std::map<address, std::uint64_t> power;
  for (const auto& member : c.net.members()) power[member.where()] = c.net.power(member);
  c.net.end_epoch();
  CHECK(c.net.chain_now().validator_pay.value == 0);
  const auto paid = c.net.events(event_kind::validator_paid);
  REQUIRE(paid.size() == 3);
  for (const auto& e : paid) CHECK(e.amount.value == pay * power.at(e.account) / 10'000);
}

// Protocol §6.8.
TEST_CASE(
    "a version is active only with a quorum of good; without, it waits three ends and is dropped "
    "without a slash") {
  court c;
  const auto m = c.net.revealed_model(c.owner, 1, 1'000 * one);
  const model_version_ref which{m.id, 1};
  CHECK(!c.vote(901, which, model_verdict::good));
  CHECK(!c.vote(900, which, model_verdict::malformed));
  REQUIRE(c.power_of({901}) < 6'667);
  const auto burned = c.net.chain_now().burned.value;
  for (int wait = 0; wait < 2; ++wait) {
    CHECK(c.net.end_epoch().registry.empty());
    CHECK(c.version(which).status == version_status::revealed);
  }
  c.net.end_epoch();
  CHECK(c.version(which).status == version_status::dropped);
  CHECK(c.version(which).activation_order == 0);
  CHECK(c.model(m.id).status == model_status::inactive);
  CHECK(c.model(m.id).pool.stake.value == 1'000 * one);
  CHECK(c.net.chain_now().burned.value == burned);
  REQUIRE(c.net.events(event_kind::model_not_accepted).size() == 1);
  CHECK(c.net.events(event_kind::model_not_accepted)[0].detail == c.power_of({901}));
  // The stake comes back in the ordinary way.
  const auto balance = c.net.balance(c.owner);
  CHECK(!c.net.run(c.owner, tx::withdraw_stake{pool_owner{m.id}, 1'000 * one}));
  const auto fee = balance - c.net.balance(c.owner);
  c.net.end_epoch();
  c.net.end_epoch();
  CHECK(c.net.balance(c.owner) == balance - fee + 1'000 * one);
}

// Protocol §6.8.
TEST_CASE(
    "the quorum of good may come at any of the three ends, and an update without it leaves the old "
    "version") {
  for (int late = 0; late < 3; ++late) {
    CAPTURE(late);
    court c;
    const auto first = c.net.active_models(c.owner, 1)[0];
    auto update = network::plan(7);
    update.id = first.id;
    CHECK(!c.net.run(c.owner, network::commit_of(c.owner, update, first.id, 0)));
    c.net.end_epoch();
    CHECK(!c.net.run(c.owner, network::reveal_of(update)));
    for (int e = 0; e < late; ++e) c.net.end_epoch();
    CHECK(c.model(first.id).active_version == 1);
    c.net.judge({first.id, 2});
    c.net.end_epoch();
    CHECK(c.model(first.id).active_version == 2);
    auto unloved = network::plan(8);
    unloved.id = first.id;
    CHECK(!c.net.run(c.owner, network::commit_of(c.owner, unloved, first.id, 0)));
    c.net.end_epoch();
    CHECK(!c.net.run(c.owner, network::reveal_of(unloved)));
    for (int e = 0; e < 3; ++e) c.net.end_epoch();
    CHECK(c.version({first.id, 3}).status == version_status::dropped);
    CHECK(c.model(first.id).status == model_status::active);
    CHECK(c.model(first.id).active_version == 2);
  }
}

// Protocol §5.5: before, one stake that voted under seven names in turn took 47,500 of these 50,000
// SOMA and was paid 23,742 of them.
TEST_CASE(
    "attack: one stake that votes under seven names, one after another, takes nothing from a "
    "model") {
  const person victim = somebody(1), attacker = somebody(2);
  auto genesis = small_genesis(3, std::vector{victim, attacker});
  genesis.validators.clear();
  for (std::uint64_t i = 0; i < 9; ++i)
    genesis.validators.push_back({validator_person(900 + i).key, {10'000 * one}});
  for (std::uint64_t i = 0; i < 7; ++i)
    genesis.accounts.push_back({validator_person(950 + i).where(), {10 * one}});
  network net{genesis};
  auto m = net.revealed_model(victim, 3, 50'000 * one);
  for (std::size_t i = 0; i < 7; ++i)  // seven of nine honest members find it good
    CHECK(!net.run(net.members()[i], tx::vote_on_model{{m.id, 1}, model_verdict::good}));
  net.end_epoch();
  REQUIRE(ledger::read_model(net.state, m.id)->status == model_status::active);
  std::uint64_t sum_when_cast = 0;
  for (std::uint64_t i = 0; i < 7; ++i) {
    const auto who = validator_person(950 + i);
    CHECK(!net.run(attacker, tx::transfer{who.where(), {10'520 * one}}));
    REQUIRE(!net.run(who, net.join_of(who, key_of(950 + i), 10'500 * one)));
    net.end_epoch();
    sum_when_cast += net.power(who);
    CHECK(!net.run(who, tx::vote_on_model{{m.id, 1}, model_verdict::malformed}));
    REQUIRE(!net.run(who, tx::leave_committee{}));
    REQUIRE(!net.run(
        who, tx::withdraw_stake{pool_owner{who.where()}, net.validator(who).pool.owner_shares}));
    for (int e = 0; e < 3; ++e) net.end_epoch();
    CHECK(!net.run(who, tx::transfer{attacker.where(), {net.balance(who) - 15 * one}}));
  }
  CHECK(sum_when_cast >= 6'667);  // the power that would have decided, had it added up
  const auto row = *ledger::read_model(net.state, m.id);
  CHECK(row.status == model_status::active);
  CHECK(row.pool.stake.value == 50'000 * one);
}

// Protocol §6.2 and §6.3: before, an old junk registration that was updated with a copy won every
// tie.
TEST_CASE("attack: a copy of published weights is refused, whether by its root or by its hash") {
  const person honest = somebody(1), thief = somebody(2);
  network net{small_genesis(3, std::vector{honest, thief})};
  auto squat = network::plan(77);
  squat = net.revealed_model(thief, 77, one);
  net.judge({squat.id, 1});
  net.end_epoch();
  const auto good = net.revealed_model(honest, 5);
  auto copy = good;  // the key and the hash are public now
  copy.id = squat.id;
  copy.embedding = {9, -3, 1, 1};
  CHECK(net.run(thief, network::commit_of(thief, copy, squat.id, 0)) == refusal::manifest_known);
  CHECK(net.run(thief, network::commit_of(thief, copy)) == refusal::manifest_known);
  copy.root = id_from<blob_id>(4'711);  // encrypted anew
  CHECK(!net.run(thief, network::commit_of(thief, copy, squat.id, 0)));
  net.judge({good.id, 1});
  net.end_epoch();
  CHECK(!net.run(thief, network::reveal_of(copy)));
  REQUIRE(net.events(event_kind::model_not_accepted).size() == 1);
  CHECK(net.events(event_kind::model_not_accepted)[0].other == honest.where());
  CHECK(ledger::read_version(net.state, {squat.id, 2})->status == version_status::dropped);
  CHECK(ledger::read_model(net.state, squat.id)->active_version == 1);
  // An owner may publish its own weights again, under another root.
  auto again = good;
  again.root = id_from<blob_id>(4'712);
  CHECK(!net.run(honest, network::commit_of(honest, again, good.id, 0)));
  net.end_epoch();
  CHECK(!net.run(honest, network::reveal_of(again)));
  CHECK(ledger::read_version(net.state, {good.id, 2})->status == version_status::revealed);
}

// Protocol §6.5.
TEST_CASE(
    "more than a third of the power for a bad verdict, and less than a quorum, ends no model") {
  court c;
  const auto m = c.net.revealed_model(c.owner, 5);
  const person largest{validator_person(902)};
  REQUIRE(c.net.power(largest) >= 3'334);
  REQUIRE(c.net.power(largest) < 6'667);
  const auto stake = c.model(m.id).pool.stake;
  CHECK(!c.net.run(largest, tx::vote_on_model{{m.id, 1}, model_verdict::malformed}));
  CHECK(c.version({m.id, 1}).status == version_status::revealed);
  CHECK(c.model(m.id).pool.stake == stake);
}

// Protocol §6.3: before, the thief had the model and its owner lost half of the stake.
TEST_CASE("attack: a copied commitment cannot be revealed by the copier") {
  court c;
  const auto thief = c.other;
  auto good = network::plan(5);
  const auto sent = network::commit_of(c.owner, good, std::nullopt, 50'000 * one);
  auto copied = sent;
  copied.stake = {one};
  c.net.send(thief, copied);
  auto stolen = good;
  stolen.id = signing::model_id_of(c.net.queue.back().id);
  c.net.send(c.owner, sent);
  good.id = signing::model_id_of(c.net.queue.back().id);
  c.net.end_epoch();
  CHECK(c.net.run(thief, network::reveal_of(stolen)) == refusal::commitment_mismatch);
  CHECK(!c.net.run(c.owner, network::reveal_of(good)));
  c.net.judge({good.id, 1});
  c.net.end_epoch();
  CHECK(c.model(good.id).status == model_status::active);
  CHECK(c.model(good.id).pool.stake.value == 50'000 * one);
}

// Protocol §6.3: before, the one who came second was punished as for silence.
TEST_CASE("attack: whoever comes second with known weights loses no stake") {
  court c;
  const auto squatter = c.other;
  auto good = network::plan(5);
  auto named = network::plan(6);
  named.weights = good.weights;  // public, or guessed: the squatter has no bytes
  c.net.commit(squatter, named, one);
  c.net.commit(c.owner, good, 50'000 * one);
  c.net.end_epoch();
  CHECK(!c.net.run(squatter, network::reveal_of(named)));
  CHECK(!c.net.run(c.owner, network::reveal_of(good)));
  CHECK(c.version({good.id, 1}).status == version_status::dropped);
  CHECK(c.model(good.id).status == model_status::inactive);
  c.net.end_epoch();
  CHECK(c.model(good.id).pool.stake.value == 50'000 * one);
  REQUIRE(!c.net.run(c.owner, tx::withdraw_stake{good.id, c.model(good.id).pool.owner_shares}));
}

// Protocol §6.3.
TEST_CASE(
    "attack: who names a root before its owner's reveal neither keeps the owner out nor gains") {
  court c;
  const auto thief = c.other;
  auto good = network::plan(5);
  auto junk = network::plan(6);
  junk.root = good.root;
  c.net.commit(thief, junk, one);  // it stands first in the block
  c.net.commit(c.owner, good);
  c.net.end_epoch();
  CHECK(!c.net.run(thief, network::reveal_of(junk)));
  CHECK(!c.net.run(c.owner, network::reveal_of(good)));
  c.net.judge({good.id, 1});
  c.net.judge({junk.id, 1}, model_verdict::wrong_hash);
  c.net.end_epoch();
  CHECK(c.model(good.id).status == model_status::active);
  CHECK(c.version({junk.id, 1}).status == version_status::bad);
  CHECK(c.model(junk.id).pool.stake.value == one / 20);
  // The root is still that of the first who revealed it.
  auto again = network::plan(7);
  again.root = good.root;
  CHECK(c.net.run(c.owner, network::commit_of(c.owner, again, good.id, 0)) ==
        refusal::manifest_known);
  CHECK(!c.net.run(thief, network::commit_of(thief, again)));
}

// Protocol §6.8: before, the copier's old number stood before the original's.
TEST_CASE("attack: an old model that is updated loses its seniority with the update") {
  court c;
  const auto old = c.net.active_models(c.other, 1)[0];
  const auto original = c.net.revealed_model(c.owner, 5);
  c.net.judge({original.id, 1});
  c.net.end_epoch();
  auto update = network::plan(6);
  update.id = old.id;
  CHECK(!c.net.run(c.other, network::commit_of(c.other, update, old.id, 0)));
  c.net.end_epoch();
  CHECK(!c.net.run(c.other, network::reveal_of(update)));
  c.net.judge({old.id, 2});
  c.net.end_epoch();
  REQUIRE(c.model(old.id).active_version == 2);
  CHECK(c.version({old.id, 1}).activation_order < c.version({original.id, 1}).activation_order);
  CHECK(c.version({old.id, 2}).activation_order > c.version({original.id, 1}).activation_order);
}

// Protocol §6.8: before, such a version was active without a single vote.
TEST_CASE("attack: a version revealed in an epoch's last block is not active without votes") {
  court c;
  auto m = network::plan(9);
  c.net.commit(c.owner, m, one);
  c.net.end_epoch();
  c.net.send(c.owner, network::reveal_of(m));
  CHECK(c.net.end_epoch().registry.empty());
  CHECK(c.version({m.id, 1}).status == version_status::revealed);
  CHECK(c.model(m.id).status == model_status::committed);
  CHECK(c.net.open_targets().empty());
}

// Protocol §6.5: before, "I could not fetch it" was a verdict that slashed 95 % and paid who said
// it.
TEST_CASE("attack: a model that nobody can fetch loses nothing, and nobody gains by it") {
  court c;
  const auto m = c.net.revealed_model(c.owner, 1, 1'000 * one);
  const auto before = c.net.chain_now();
  for (int e = 0; e < 3; ++e) c.net.end_epoch();
  CHECK(c.version({m.id, 1}).status == version_status::dropped);
  CHECK(c.model(m.id).pool.stake.value == 1'000 * one);
  CHECK(c.net.chain_now().burned == before.burned);
}

}  // namespace
}  // namespace soma::test
