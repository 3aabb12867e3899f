#include "actors/explain/audits.hpp"

#include "actors/rules/audit.hpp"
#include "tests/actors/explain/explained_network.hpp"

using namespace soma;
using namespace soma::test;

namespace {

const std::vector<person> people{somebody(1), somebody(2)};

/// A committee of 24, and a submission that a sample of it audits.
struct sampled_story {
  explained_network net{genesis_of_24()};
  target_id id;
  std::vector<std::uint32_t> draws;

  sampled_story() {
    net.active_models(people[0], 3);
    for (std::uint64_t number = 10; draws.empty(); number += 10) {
      const auto made = submission_for(net.n.open_targets().front(), people[1], number);
      net.apply(people[1], made.claim);
      net.apply(people[1], made.reveal);
      const auto committee = ledger::read_committee(net.n.state);
      if (rules::calls_all(net.n.genesis.parameters, claim_of(made.claim.target), committee,
                           net.n.chain_now()))
        continue;
      id = made.claim.target;
      draws = rules::draws_by_seat(claim_of(id), committee);
    }
  }
  [[nodiscard]] submission_row claim_of(const target_id& target) const {
    return *ledger::read_submission(net.n.state, target);
  }
  [[nodiscard]] std::vector<committee_seat> seats() const {
    return ledger::read_committee(net.n.state).seats;
  }
  void vote(std::size_t seat, audit_verdict verdict) {
    net.send(person{seats()[seat].consensus_key}, tx::vote_on_submission{id, verdict});
    REQUIRE_FALSE(net.block(1).outcomes.back().reason.has_value());
  }
  /// Lets so many draws say ok, or a few more.
  void say_ok(std::uint32_t wanted) {
    std::uint32_t said = 0;
    for (std::size_t i = 0; i < draws.size() && said < wanted; ++i) {
      if (draws[i] == 0) continue;
      vote(i, audit_verdict::ok);
      said += draws[i];
    }
  }

  static genesis genesis_of_24() {
    auto genesis = four_validator_genesis(people, 24);
    genesis.parameters.epoch_ms = 240'000;
    return genesis;
  }
};

}  // namespace

TEST_CASE("the next step of a sampled audit names its sample, and when all are called instead") {
  sampled_story s;
  s.vote(static_cast<std::size_t>(
             std::find_if(s.draws.begin(), s.draws.end(), [](auto n) { return n > 0; }) -
             s.draws.begin()),
         audit_verdict::ok);
  const auto explained = s.net.target(s.id);
  const auto& due = next_in(explained, "audit_decided");
  CHECK(value_of<bool>(due, "sample"));
  const auto called = static_cast<std::uint64_t>(
      std::count_if(s.draws.begin(), s.draws.end(), [](auto n) { return n > 0; }));
  CHECK(value_of(due, "called") == called);
  CHECK(value_of(due, "draws_with_ok") ==
        *std::find_if(s.draws.begin(), s.draws.end(), [](auto n) { return n > 0; }));
  CHECK(value_of(due, "all_called_from_ms") == s.claim_of(s.id).revealed_ms + 10'000);
  check_line(due, {"its sample of " + std::to_string(called) + " members", "14 of 16 draws of ok",
                   "all members are called from", "votes of 6667 agree"});
  s.net.block(10'000);
  const auto later = s.net.target(s.id);
  CHECK_FALSE(value_of<bool>(next_in(later, "audit_decided"), "sample"));
  CHECK(value_of(next_in(later, "audit_decided"), "called") == 24);
  CHECK_FALSE(contains(explain::line_of(next_in(later, "audit_decided")), "sample"));
}

TEST_CASE("what a sample settled is explained by its draws, and who was not called owes nothing") {
  sampled_story s;
  const auto epoch = s.net.epoch();
  s.say_ok(14);
  REQUIRE(s.claim_of(s.id).sampled);
  const auto explained = s.net.target(s.id);
  CHECK(explained.status == "settled");
  CHECK(value_of<bool>(explained.facts, "sampled"));
  const auto& settled = step_in(explained, "story", "target_settled");
  CHECK(value_of<bool>(settled, "sampled"));
  check_line(settled, {"14 of the 16 draws of its sample", "nobody voted against"});
  check_line(step_in(explained, "story", "audit_vote_cast"), {"14 of the 16 draws"});
  const auto seats = s.seats();
  const auto other =
      static_cast<std::size_t>(std::find(s.draws.begin(), s.draws.end(), 0u) - s.draws.begin());
  CHECK(value_of(step_in(s.net.account(person{seats[other].consensus_key}), "validator", "seat"),
                 "audits_due") == 0);
  s.net.end_epoch();
  const auto ended = s.net.epoch_explained(epoch);
  CHECK(value_of(ended.facts, "audits_decided") == 1);
  for (const auto& part : explain::find(ended, "validators")->steps) {
    if (part.name == "seat") continue;
    for (std::size_t i = 0; i < seats.size(); ++i) {
      if (value_of<std::string>(part, "account") != seats[i].member.text()) continue;
      CHECK(value_of(part, "audits_due") == (s.draws[i] > 0 ? 1 : 0));
    }
  }
}

TEST_CASE("after a dissent the explanation of an audit is that of a small committee") {
  sampled_story s;
  s.vote(0, audit_verdict::wrong_loss);
  const auto explained = s.net.target(s.id);
  CHECK_FALSE(value_of<bool>(next_in(explained, "audit_decided"), "sample"));
  check_line(step_in(explained, "story", "audit_vote_cast"), {"6667 decide"});
  for (std::size_t i = 1; i < 24 && !s.claim_of(s.id).sampled; ++i) {
    if (s.net.target(s.id).status != "revealed") break;
    s.vote(i, audit_verdict::ok);
  }
  const auto ended = s.net.target(s.id);
  CHECK(ended.status == "settled");
  CHECK_FALSE(value_of<bool>(ended.facts, "sampled"));
  check_line(step_in(ended, "story", "target_settled"), {"of the 6667 needed"});
}

TEST_CASE("a claim that is too large is told how large it may be") {
  auto genesis = four_validator_genesis(people);
  genesis.parameters.max_audit_products = 1'500 * genesis.parameters.models_per_target *
                                          rules::products_per_byte(genesis.parameters.architecture);
  explained_network net(genesis);
  net.active_models(people[0], 3);
  const auto target = net.n.open_targets().front();
  auto made = submission_for(target, people[1], 3);
  made.claim.size_bytes = 1'501;
  net.refuse(people[1], made.claim, rules::refusal::size_out_of_range);
  CHECK(value_of(net.target(target.id).facts, "largest_data_bytes") == 1'500);
  check_line(step_in(net.account(people[1]), "refusals", "transaction_refused"),
             {"at most 1500 bytes"});
}
