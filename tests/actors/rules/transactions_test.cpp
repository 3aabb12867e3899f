// Duties of members, protocol §2.3 and §5.7: when they are free and when they count, and the
// attacks on both.
#include <doctest/doctest.h>

#include <array>

#include "actors/rules/transactions.hpp"
#include "tests/actors/rules/network.hpp"

namespace soma::test {
namespace {

using rules::refusal;

// Protocol §2.3 and §2.6. The attack: 18 members with empty accounts sent refused votes. They cost
// nothing and counted for congestion, so that after 120 blocks the others paid a million times as
// much.
TEST_CASE("attack: refused votes of members without a balance make nobody's fees dearer") {
  const auto owner = somebody(1);
  network net(small_genesis(18, std::vector{owner}));
  std::uint64_t target = 0;
  for (int round = 0; round < 10; ++round) {
    for (const auto& member : net.members()) {
      for (int i = 0; i < 64; ++i)
        net.send(member, tx::vote_on_submission{id_from<target_id>(++target), audit_verdict::ok});
    }
    for (auto& t : net.queue) t.size_bytes = 220;
    net.block();
    REQUIRE(net.last.outcomes.size() == 18 * 64);
    for (const auto& outcome : net.last.outcomes) {
      // The first of each member; what is behind it has too high a nonce.
      CHECK((outcome.reason == refusal::base_fee_unaffordable ||
             outcome.reason == refusal::nonce_too_high));
    }
    CHECK(net.chain_now().congestion_ppm == 1'000'000);
  }
  // Who has a balance pays for them as for any refused transaction.
  net.give_fees_to_members(owner);
  for (const auto& member : net.members())
    net.send(member, tx::vote_on_submission{id_from<target_id>(++target), audit_verdict::ok});
  net.block();
  for (const auto& outcome : net.last.outcomes) CHECK(outcome.fee.value == 1'000);
}

/// Three validators with nearly a third of the power each, of which 901 and 902 are a quorum.
struct auditors {
  person owner = somebody(1), alice = somebody(2);
  network net{small_genesis(3, std::vector{owner, alice})};
  std::vector<model_plan> models = net.active_models(owner, 3);
  std::uint64_t number = 0;

  target_id revealed() {
    const auto s = submission_for(net.open_targets().front(), alice, number += 10);
    REQUIRE(!net.run(alice, s.claim));
    REQUIRE(!net.run(alice, s.reveal));
    return s.claim.target;
  }
  void vote(std::uint64_t voter, const target_id& target, audit_verdict verdict) {
    CHECK(!net.run(validator_person(voter), tx::vote_on_submission{target, verdict}));
  }
  /// How many votes of 900, 901 and 902 count as cast.
  using counts = std::array<std::uint64_t, 3>;
  [[nodiscard]] counts cast() const {
    counts all{};
    for (std::size_t i = 0; i < 3; ++i)
      all[i] = ledger::find_seat(net.state, validator_person(900 + i).where())->audits_cast;
    return all;
  }
};

// Protocol §5.7. The attack: a member that looks at nothing votes anything, early or late, and is
// paid for taking part.
TEST_CASE("attack: a vote counts as cast only if it agrees with what was decided") {
  using v = audit_verdict;
  using counts = auditors::counts;
  auditors a;
  const auto settled = a.revealed();
  a.vote(901, settled, v::ok);
  a.vote(902, settled, v::ok);
  CHECK(a.cast() == counts{0, 1, 1});
  a.vote(900, settled, v::wrong_loss);  // late
  CHECK(a.cast() == counts{0, 1, 1});
  const auto slashed = a.revealed();
  a.vote(900, slashed, v::ok);
  a.vote(901, slashed, v::wrong_loss);
  a.vote(902, slashed, v::wrong_winner);
  CHECK(a.cast() == counts{0, 2, 2});
  const auto agreed = a.revealed();
  a.vote(901, agreed, v::wrong_size);
  a.vote(902, agreed, v::wrong_size);
  a.vote(900, agreed, v::wrong_distance);  // late: a wrong verdict, as was decided
  CHECK(a.cast() == counts{1, 3, 3});
  const auto there = a.revealed();
  a.net.block(a.net.genesis.parameters.epoch_ms / 24);
  a.vote(901, there, v::wrong_size);
  a.vote(902, there, v::wrong_size);
  a.vote(900, there, v::unavailable);  // late: no verdict that can be checked
  CHECK(a.cast() == counts{1, 4, 4});
  const auto missing = a.revealed();
  a.net.block(a.net.genesis.parameters.epoch_ms / 24);
  a.vote(901, missing, v::wrong_loss);
  a.vote(902, missing, v::unavailable);
  a.vote(900, missing, v::ok);
  CHECK(a.cast() == counts{1, 5, 5});
  const auto missed = a.revealed();
  a.net.block(a.net.genesis.parameters.epoch_ms / 24);
  a.vote(901, missed, v::unavailable);
  a.vote(902, missed, v::unavailable);
  a.vote(900, missed, v::unavailable);  // late
  CHECK(a.cast() == counts{2, 6, 6});
}

// Protocol §5.7 and §8.4.1.
TEST_CASE("of an audit that nobody decided every vote counts as cast") {
  using v = audit_verdict;
  auditors a;
  const auto id = a.revealed();
  a.vote(900, id, v::ok);
  a.vote(901, id, v::wrong_loss);
  while (ledger::read_target(a.net.state, id)->status == target_status::revealed) a.net.end_epoch();
  CHECK(ledger::read_target(a.net.state, id)->status == target_status::voided);
  std::uint64_t cast = 0;
  for (const auto kind : {event_kind::validator_paid, event_kind::validator_absent}) {
    for (const auto& e : a.net.events(kind)) cast += e.detail & 0xffff'ffff;
  }
  CHECK(cast == 2);
}

}  // namespace
}  // namespace soma::test
