// Protocol §5: two statements of one key that exclude each other, and the consequences of evidence.
#include "actors/rules/equivocation.hpp"

#include <doctest/doctest.h>

#include "tests/actors/rules/network.hpp"

namespace soma::test {
namespace {

using rules::refusal;
constexpr std::uint64_t one = shannons_per_soma;

vote_statement vote(vote_kind kind, std::uint64_t epoch, std::uint64_t view, std::uint64_t block) {
  return {kind, {epoch}, {view}, kind == vote_kind::skip ? block_id{} : id_from<block_id>(block)};
}
vote_statement notarize(std::uint64_t epoch, std::uint64_t view, std::uint64_t block) {
  return vote(vote_kind::notarize, epoch, view, block);
}
vote_statement finalize(std::uint64_t epoch, std::uint64_t view, std::uint64_t block) {
  return vote(vote_kind::finalize, epoch, view, block);
}
vote_statement skip(std::uint64_t epoch, std::uint64_t view) {
  return vote(vote_kind::skip, epoch, view, 0);
}

/// Three validators of 1,000, 2,000 and 4,000 SOMA, without rewards and with constant fees.
struct court {
  person alice = somebody(1), bob = somebody(2), offender = validator_person(901);
  crypto::key_pair key = key_of(901);
  pool_owner pool = offender.where();
  network net{birth()};

  static genesis birth() {
    auto genesis = small_genesis(3, std::vector{somebody(1), somebody(2)});
    genesis.validators[1].stake = {2'000 * one};
    genesis.validators[2].stake = {4'000 * one};
    genesis.accounts.push_back({validator_person(901).where(), {5'000 * one}});
    genesis.parameters.target_share_bps = 10'000;
    genesis.parameters.fee_multiplier_min_ppm = genesis.parameters.fee_multiplier_max_ppm =
        1'000'000;
    return genesis;
  }
  [[nodiscard]] block_header header(std::uint64_t epoch, std::uint64_t view,
                                    std::uint64_t number) const {
    block_header h;
    h.chain = net.chain;
    h.epoch = {epoch};
    h.view = {view};
    h.time_ms = number;
    return h;
  }
  [[nodiscard]] tx::report_equivocation report(const vote_statement& a,
                                               const vote_statement& b) const {
    return {key.public_half(), encode(a), signing::sign_vote(key, net.chain, a), encode(b),
            signing::sign_vote(key, net.chain, b)};
  }
  [[nodiscard]] tx::report_equivocation report(const block_header& a, const block_header& b) const {
    return {key.public_half(), encode(a), signing::sign_block(key, signing::id_of(a)), encode(b),
            signing::sign_block(key, signing::id_of(b))};
  }
  /// Evidence of two votes to notarize in this view.
  [[nodiscard]] tx::report_equivocation guilty(std::uint64_t epoch, std::uint64_t view) const {
    return report(notarize(epoch, view, 1), notarize(epoch, view, 2));
  }
  [[nodiscard]] stake_pool pool_now() const { return net.validator(offender).pool; }
  rules::refused shown(const tx::report_equivocation& what) { return net.run(alice, what); }
};

// Protocol §5.9.
TEST_CASE("every class of conflict is found in both orders, and other pairs are no conflict") {
  const auto of = [](const auto& a, const auto& b) {
    const auto forth = rules::conflict_of(encode(a), encode(b));
    CHECK(forth == rules::conflict_of(encode(b), encode(a)));
    return forth ? int{forth->kind} : 0;
  };
  const court c;
  CHECK(of(notarize(3, 7, 1), notarize(3, 7, 2)) == 1);
  CHECK(of(finalize(3, 7, 1), finalize(3, 7, 2)) == 2);
  CHECK(of(skip(3, 7), finalize(3, 7, 1)) == 3);
  CHECK(of(c.header(3, 7, 1), c.header(3, 7, 2)) == 4);
  const auto found = rules::conflict_of(encode(skip(3, 7)), encode(finalize(3, 7, 1)));
  REQUIRE(found);
  CHECK(found->epoch.value == 3);
  CHECK(found->view == view_number{7});

  CHECK(of(notarize(3, 7, 1), notarize(3, 7, 1)) == 0);  // the same statement twice
  CHECK(of(finalize(3, 7, 1), finalize(3, 7, 1)) == 0);
  CHECK(of(skip(3, 7), skip(3, 7)) == 0);
  CHECK(of(c.header(3, 7, 1), c.header(3, 7, 1)) == 0);
  // allowed, because the member saw no quorum in time
  CHECK(of(notarize(3, 7, 1), skip(3, 7)) == 0);
  CHECK(of(notarize(3, 7, 1), finalize(3, 7, 1)) == 0);
  CHECK(of(notarize(3, 7, 1), finalize(3, 7, 2)) == 0);
  CHECK(of(c.header(3, 7, 1), notarize(3, 7, 2)) == 0);
  CHECK(of(c.header(3, 7, 1), skip(3, 7)) == 0);
  for (const std::uint64_t epoch : {3, 4}) {
    const std::uint64_t view = epoch == 3 ? 8 : 7;  // another view, or another epoch
    CHECK(of(notarize(3, 7, 1), notarize(epoch, view, 2)) == 0);
    CHECK(of(finalize(3, 7, 1), finalize(epoch, view, 2)) == 0);
    CHECK(of(skip(3, 7), finalize(epoch, view, 1)) == 0);
    CHECK(of(c.header(3, 7, 1), c.header(epoch, view, 2)) == 0);
  }
  CHECK(!rules::conflict_of({}, {}));
  CHECK(!rules::conflict_of(encode(notarize(3, 7, 1)), bytes(49, 0xff)));
}

// Protocol §5.10.
TEST_CASE(
    "each class is punished: 5 % of the pool, a tenth of it to the reporter, the rest burned") {
  for (int kind = 1; kind <= 4; ++kind) {
    CAPTURE(kind);
    court c;
    const auto what = kind == 1   ? c.report(notarize(0, 5, 1), notarize(0, 5, 2))
                      : kind == 2 ? c.report(finalize(0, 5, 1), finalize(0, 5, 2))
                      : kind == 3 ? c.report(finalize(0, 5, 1), skip(0, 5))
                                  : c.report(c.header(0, 5, 1), c.header(0, 5, 2));
    const auto balance = c.net.balance(c.alice);
    CHECK(!c.shown(what));
    // The rows are sender, validator and evidence.
    const std::uint64_t fee = 1'000 + 3 * 300;
    CHECK(c.net.balance(c.alice) == balance + 10 * one - fee);
    CHECK(c.net.chain_now().burned.value == 90 * one + fee);
    CHECK(c.pool_now() == stake_pool{{1'900 * one}, 2'000 * one, 2'000 * one});
    CHECK(!c.net.validator(c.offender).wants_seat);
    CHECK(c.net.validator(c.offender).rejoin_from.value == 1);
    const auto slashed = c.net.events(event_kind::validator_slashed);
    REQUIRE(slashed.size() == 1);
    CHECK(slashed[0].account == c.offender.where());
    CHECK(slashed[0].amount.value == 100 * one);
    CHECK(slashed[0].detail == 0);
    const auto paid = c.net.events(event_kind::reporter_paid);
    REQUIRE(paid.size() == 1);
    CHECK(paid[0].account == c.alice.where());
    CHECK(paid[0].other == c.offender.where());
    CHECK(paid[0].amount.value == 10 * one);
    CHECK(c.shown(what) == refusal::evidence_known);
  }
}

// Protocol §5.9.
TEST_CASE("reports are refused by the first check that fails") {
  court c;
  const auto good = c.guilty(0, 5);
  const auto spoilt = [&](auto change) {
    auto bad = good;
    change(bad);
    return c.shown(bad);
  };
  CHECK(spoilt([](auto& r) { r.first_statement.clear(); }) == refusal::statement_unreadable);
  CHECK(spoilt([](auto& r) { r.second_statement.push_back(0); }) == refusal::statement_unreadable);
  CHECK(spoilt([](auto& r) { r.second_statement[0] = 9; }) == refusal::statement_unreadable);
  auto foreign = c.header(0, 5, 1);
  foreign.chain = id_from<chain_id>(1);
  CHECK(c.shown(c.report(foreign, c.header(0, 5, 2))) == refusal::statement_unreadable);
  CHECK(c.shown(c.report(c.header(0, 5, 2), foreign)) == refusal::statement_unreadable);
  CHECK(c.shown(c.report(notarize(0, 5, 1), notarize(0, 5, 1))) ==
        refusal::statements_do_not_conflict);
  CHECK(c.shown(c.report(notarize(0, 5, 1), finalize(0, 5, 1))) ==
        refusal::statements_do_not_conflict);
  CHECK(spoilt([](auto& r) { r.first_signature[0] ^= 1; }) == refusal::statement_signature_invalid);
  CHECK(spoilt([](auto& r) { r.second_signature[0] ^= 1; }) ==
        refusal::statement_signature_invalid);
  CHECK(spoilt([](auto& r) { r.signer = key_of(902).public_half(); }) ==
        refusal::statement_signature_invalid);
  CHECK(spoilt([](auto& r) { std::swap(r.first_signature, r.second_signature); }) ==
        refusal::statement_signature_invalid);
  // The first statement is signed for another network.
  CHECK(spoilt([&](auto& r) {
          r.first_signature = signing::sign_vote(c.key, id_from<chain_id>(1), notarize(0, 5, 1));
        }) == refusal::statement_signature_invalid);
  // A vote's signature is not valid for a header.
  CHECK(c.shown([&] {
    auto r = c.report(c.header(0, 5, 1), c.header(0, 5, 2));
    r.first_signature = good.first_signature;
    return r;
  }()) == refusal::statement_signature_invalid);
  c.key = key_of(33);
  CHECK(c.shown(c.guilty(0, 5)) == refusal::signer_unknown);
  c.key = key_of(901);
  CHECK(c.shown(c.guilty(1, 5)) == refusal::evidence_too_old);  // of an epoch that has not begun
  CHECK(c.pool_now().stake.value == 2'000 * one);
  CHECK(!c.shown(good));
  CHECK(c.shown(good) == refusal::evidence_known);
  // Whatever else the validator signed in this epoch is the same offence.
  CHECK(c.shown(c.report(notarize(0, 5, 3), notarize(0, 5, 2))) == refusal::evidence_known);
  CHECK(c.shown(c.guilty(0, 6)) == refusal::evidence_known);
  CHECK(c.shown(c.report(c.header(0, 9, 1), c.header(0, 9, 2))) == refusal::evidence_known);
  CHECK(c.pool_now().stake.value == 1'900 * one);
}

TEST_CASE("a validator is punished once for each epoch in which it equivocated") {
  court c;
  c.net.end_epoch();
  CHECK(!c.shown(c.guilty(0, 5)));
  CHECK(!c.shown(c.guilty(1, 5)));
  CHECK(c.pool_now().stake.value == 1'805 * one);
  CHECK(c.shown(c.guilty(1, 6)) == refusal::evidence_known);
}

TEST_CASE("evidence is good for as many epochs as stake takes to leave, and no longer") {
  for (std::uint64_t epochs = 0; epochs < 5; ++epochs) {
    CAPTURE(epochs);
    court c;
    for (std::uint64_t e = 0; e < epochs; ++e) c.net.end_epoch();
    const auto outcome = c.shown(c.guilty(0, 5));
    if (epochs <= 2) {
      CHECK(!outcome);
    } else {
      CHECK(outcome == refusal::evidence_too_old);
    }
  }
}

TEST_CASE("a validator without a seat in the epoch of its statements is not punished for them") {
  court c;
  c.key = key_of(44);
  const person newcomer = c.bob;
  CHECK(!c.net.run(newcomer, c.net.join_of(newcomer, c.key, 1'000 * one)));
  CHECK(c.shown(c.guilty(0, 5)) == refusal::signer_not_seated);
  c.net.end_epoch();
  CHECK(c.shown(c.guilty(0, 5)) == refusal::signer_not_seated);
  CHECK(!c.shown(c.guilty(1, 5)));
  CHECK(c.net.validator(newcomer).pool.stake.value == 950 * one);
}

TEST_CASE("a newcomer of a later epoch was not seated in epoch 0 either") {
  court c;
  c.net.end_epoch();
  c.key = key_of(44);
  CHECK(!c.net.run(c.bob, c.net.join_of(c.bob, c.key, 1'000 * one)));
  CHECK(c.shown(c.guilty(0, 5)) == refusal::signer_not_seated);
  CHECK(c.shown(c.guilty(1, 5)) == refusal::signer_not_seated);
}

TEST_CASE("a validator that left, or left and came back, answers for what it signed in its seat") {
  for (const bool back : {false, true}) {
    CAPTURE(back);
    court c;
    CHECK(!c.net.run(c.offender, tx::leave_committee{}));
    c.net.end_epoch();
    if (back) CHECK(!c.net.run(c.offender, c.net.join_of(c.offender, c.key, 0)));
    c.net.end_epoch();
    CHECK((c.net.power(c.offender) > 0) == back);
    CHECK(c.shown(c.guilty(1, 5)) == refusal::signer_not_seated);
    CHECK(!c.shown(c.guilty(0, 5)));
  }
}

TEST_CASE("the offender is out from the next epoch on, and may join again from then on") {
  court c;
  CHECK(!c.shown(c.guilty(0, 5)));
  CHECK(c.net.power(c.offender) > 0);
  CHECK(c.net.run(c.offender, c.net.join_of(c.offender, c.key, 0)) == refusal::rejoin_too_early);
  CHECK(c.net.run(c.offender, tx::leave_committee{}) == refusal::already_leaving);
  c.net.end_epoch();
  CHECK(c.net.power(c.offender) == 0);
  CHECK(!c.net.run(c.offender, c.net.join_of(c.offender, c.key, 0)));
  c.net.end_epoch();
  CHECK(c.net.power(c.offender) > 0);
}

TEST_CASE(
    "a validator that was slashed below the minimum may come back only with the missing stake") {
  court c;
  c.offender = validator_person(900);  // its stake is just the minimum
  c.key = key_of(900);
  CHECK(!c.net.run(c.alice, tx::transfer{c.offender.where(), {100 * one}}));
  CHECK(!c.shown(c.guilty(0, 5)));
  c.net.end_epoch();
  const auto again = [&](std::uint64_t amount) {
    return c.net.run(c.offender, c.net.join_of(c.offender, c.key, amount));
  };
  CHECK(again(0) == refusal::stake_below_minimum);
  CHECK(again(50 * one - 1) == refusal::stake_below_minimum);
  CHECK(!again(50 * one));
  c.net.end_epoch();
  CHECK(c.net.power(c.offender) > 0);
  CHECK(c.pool_now().stake.value == 1'000 * one);
}

TEST_CASE("delegators lose nothing while the owner's shares suffice") {
  court c;
  CHECK(!c.net.run(c.bob, tx::add_stake{c.pool, {3'000 * one}}));
  c.net.end_epoch();
  CHECK(c.pool_now() == stake_pool{{5'000 * one}, 5'000 * one, 2'000 * one});
  CHECK(!c.shown(c.guilty(1, 5)));
  CHECK(c.pool_now() == stake_pool{{4'750 * one}, 4'750 * one, 1'750 * one});
  CHECK(!c.net.run(c.bob, tx::withdraw_stake{c.pool, 3'000 * one}));
  const auto before = c.net.balance(c.bob);
  for (int e = 0; e < 3; ++e) c.net.end_epoch();
  CHECK(c.net.balance(c.bob) == before + 3'000 * one);
}

// The attack: 91,000 SOMA that voted twice lost 50, the twentieth of what the owner had.
TEST_CASE("attack: 91,000 SOMA of power that vote twice lose 4,550, and count 10,000") {
  court c;
  c.offender = validator_person(900);
  c.key = key_of(900);
  c.pool = c.offender.where();
  CHECK(!c.net.run(c.bob, tx::add_stake{c.pool, {90'000 * one}}));
  c.net.end_epoch();
  CHECK(c.net.power(c.offender) == 6'250);  // 10,000 of 16,000
  CHECK(!c.shown(c.guilty(1, 5)));
  CHECK(c.pool_now() == stake_pool{{86'450 * one}, 90'000 * one, 0});
  CHECK(c.net.events(event_kind::validator_slashed)[0].amount.value == 4'550 * one);
  CHECK(c.net.events(event_kind::reporter_paid)[0].amount.value == 100 * one);  // the most
}

// Protocol §5.10.
TEST_CASE("stake of the owner that is leaving is slashed first") {
  court c;
  CHECK(!c.net.run(c.offender, tx::withdraw_stake{c.pool, 200 * one}));
  c.net.end_epoch();
  CHECK(!c.net.run(c.offender, tx::leave_committee{}));
  CHECK(!c.net.run(c.offender, tx::withdraw_stake{c.pool, 1'000 * one}));
  c.net.end_epoch();
  CHECK(c.pool_now().stake.value == 800 * one);
  CHECK(c.net.chain_now().unbonding.value == 1'200 * one);
  const auto balance = c.net.balance(c.alice);
  CHECK(!c.shown(c.guilty(1, 5)));
  // 5 % of 800 + 200 + 1000 are 100, of what leaves first. The rows are sender, validator, evidence
  // and position.
  CHECK(c.net.balance(c.alice) == balance + 10 * one - 1'000 - 4 * 300);
  CHECK(c.pool_now().stake.value == 800 * one);
  CHECK(c.net.chain_now().unbonding.value == 1'100 * one);
  CHECK(c.net.events(event_kind::validator_slashed)[0].amount.value == 100 * one);
  CHECK(c.net.events(event_kind::reporter_paid)[0].amount.value == 10 * one);
  const auto waiting = c.net.stake(c.offender, c.pool).unbonding;
  REQUIRE(waiting.size() == 2);
  CHECK(waiting[0].amount.value == 100 * one);
  CHECK(waiting[1].amount.value == 1'000 * one);
}

TEST_CASE("a validator that shows itself gets a tenth back") {
  court c;
  const auto balance = c.net.balance(c.offender);
  CHECK(!c.net.run(c.offender, c.guilty(0, 5)));
  CHECK(c.pool_now().stake.value == 1'900 * one);
  CHECK(c.net.balance(c.offender) == balance + 10 * one - 1'900);
}

// Protocol §5.10.
TEST_CASE("the odd shannon is burned, and the rate is the genesis's") {
  auto genesis = court::birth();
  genesis.parameters.equivocation_slash_bps = 10'000;
  genesis.validators[1].stake = {2'000 * one + 1};
  court c;
  c.net = network(genesis);
  const auto balance = c.net.balance(c.alice);
  CHECK(!c.shown(c.guilty(0, 5)));
  CHECK(c.pool_now() == stake_pool{{0}, 2'000 * one + 1, 2'000 * one + 1});
  CHECK(c.net.balance(c.alice) == balance + 100 * one - 1'900);
  CHECK(c.net.chain_now().burned.value == 1'900 * one + 1 + 1'900);
  genesis.parameters.equivocation_slash_bps = 1;
  genesis.validators[1].stake = {2'000 * one + 90'000};
  court small;
  small.net = network(genesis);
  CHECK(!small.shown(small.guilty(0, 5)));
  CHECK(small.net.chain_now().burned.value == 180'000'009 + 1'900);
}

TEST_CASE("a key that was rotated away still speaks for its owner, of the epochs of its seat") {
  court c;
  CHECK(!c.net.run(c.offender, c.net.join_of(c.offender, key_of(60), 0)));
  c.net.end_epoch();
  CHECK(c.shown(c.guilty(1, 5)) == refusal::signer_not_seated);
  CHECK(!c.shown(c.guilty(0, 5)));  // signed by the key of epoch 0
  CHECK(c.pool_now().stake.value == 1'900 * one);
}

// The attack: who found an old key of a validator slashed it for every epoch in which it had a seat
// with another one: five reports took 8,868 of 50,000 SOMA.
TEST_CASE("attack: a key that was replaced proves nothing of the epochs after that") {
  court c;
  const auto old_key = c.key, new_key = key_of(60);
  CHECK(!c.net.run(c.offender, c.net.join_of(c.offender, new_key, 0)));
  for (std::uint64_t epoch = 1; epoch < 5; ++epoch) {
    c.net.end_epoch();
    c.key = old_key;
    CHECK(c.shown(c.guilty(epoch, 5)) == refusal::signer_not_seated);
    CHECK(c.pool_now().stake.value == 2'000 * one);
  }
  c.key = new_key;
  CHECK(!c.shown(c.guilty(4, 5)));
  CHECK(c.shown(c.guilty(4, 6)) == refusal::evidence_known);
  CHECK(c.pool_now().stake.value == 1'900 * one);
}

TEST_CASE("a key that comes back answers for its epochs before and after, and for none between") {
  court c;
  const auto old_key = c.key, new_key = key_of(60);
  CHECK(!c.net.run(c.offender, c.net.join_of(c.offender, new_key, 0)));
  c.net.end_epoch();
  CHECK(!c.net.run(c.offender, c.net.join_of(c.offender, old_key, 0)));
  c.net.end_epoch();
  CHECK(c.shown(c.guilty(1, 5)) == refusal::signer_not_seated);
  CHECK(!c.shown(c.guilty(0, 5)));
  CHECK(!c.shown(c.guilty(2, 5)));
}

}  // namespace
}  // namespace soma::test
