#include "actors/rules/emission.hpp"
#include "tests/actors/explain/explained_network.hpp"

using namespace soma;
using namespace soma::test;

namespace {

const std::vector<person> people{somebody(1), somebody(2)};

struct counted_sum {
  std::uint64_t count = 0, shannons = 0;
};
counted_sum counted_in(const explain::explanation& explained, std::string_view passage,
                       std::string_view what, bool with_amount) {
  if (!has_step(explained, passage, what)) return {};
  const auto& s = step_in(explained, passage, what);
  return {value_of(s, "count"), with_amount ? value_of(s, "amount_shannons") : 0};
}

}  // namespace

TEST_CASE("the explanation of an absent validator names the missed work and its cost") {
  explained_network net(four_validator_genesis(people));
  const auto absent = four_validators()[2];
  net.n.silent.insert(absent.where());
  net.blocks(7);
  net.end_epoch();
  net.n.silent.clear();
  const auto missed = net.n.events(event_kind::validator_absent);
  REQUIRE(missed.size() == 1);
  const auto explained = net.epoch_explained(0);
  CHECK(explained.status == "ended");
  const auto& shown = step_in(explained, "validators", "validator_absent");
  CHECK(value_of(shown, "amount_shannons") == missed.front().amount.value);
  CHECK(value_of(shown, "blocks_signed") == 0);
  CHECK(value_of(shown, "blocks") == 7);
  CHECK(value_of<bool>(shown, "too_few_blocks"));
  CHECK_FALSE(value_of<bool>(shown, "too_few_votes"));
  check_line(shown, {"block " + std::to_string(net.height()), absent.where().short_text(),
                     to_text(missed.front().amount), "signed 0 blocks", "of 7 blocks",
                     "fewer than half of the blocks", "(protocol §5)"});
  std::size_t paid = 0;
  for (const auto& s : explain::find(explained, "validators")->steps)
    paid += s.name == "validator_paid";
  CHECK(paid == 3);
  // The explanation of that epoch says it, too.
  const auto page = net.account(absent);
  CHECK(value_of(step_in(page, "given", "validator_absent"), "amount_shannons") ==
        missed.front().amount.value);
}

TEST_CASE(
    "the explanation of a validator that signs but does not vote says that votes were missing") {
  explained_network net(four_validator_genesis(people));
  net.active_models(people[0], 3);
  const auto epoch = net.epoch();
  const auto target = net.n.open_targets().front();
  const auto made = submission_for(target, people[1], 3);
  net.apply(people[1], made.claim);
  net.apply(people[1], made.reveal);
  for (std::size_t v = 0; v < 3; ++v) {
    net.apply(four_validators()[v], tx::vote_on_submission{target.id, audit_verdict::ok});
  }
  net.end_epoch();
  const auto explained = net.epoch_explained(epoch);
  const auto& shown = step_in(explained, "validators", "validator_absent");
  CHECK(value_of<std::string>(shown, "account") == four_validators()[3].where().text());
  CHECK(value_of(shown, "audits_due") == 1);
  CHECK_FALSE(value_of<bool>(shown, "too_few_blocks"));
  CHECK(value_of<bool>(shown, "too_few_votes"));
  check_line(shown, {"1 audit vote due", "fewer than half of the audit votes"});
}

TEST_CASE(
    "an audit vote is due in the epoch that decides the submission, not in that of its reveal") {
  explained_network net(four_validator_genesis(people));
  net.active_models(people[0], 3);
  const auto epoch = net.epoch();
  const auto made = submission_for(net.n.open_targets().front(), people[1], 3);
  net.apply(people[1], made.claim);
  net.apply(people[1], made.reveal);
  net.end_epoch();
  const auto revealing = net.epoch_explained(epoch);
  CHECK(value_of(revealing.facts, "audits_decided") == 0);
  CHECK_FALSE(has_step(revealing, "validators", "validator_absent"));
  for (std::size_t v = 0; v < 3; ++v) {
    net.apply(four_validators()[v], tx::vote_on_submission{made.claim.target, audit_verdict::ok});
  }
  net.end_epoch();
  const auto deciding = net.epoch_explained(epoch + 1);
  CHECK(value_of(deciding.facts, "audits_decided") == 1);
  CHECK(value_of(step_in(deciding, "validators", "validator_absent"), "audits_due") == 1);
}

TEST_CASE("an ended epoch counts exactly what its events did, whatever happened") {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    CAPTURE(seed);
    dice d{seed};
    explained_network net(four_validator_genesis(people));
    net.active_models(people[0], 3);
    for (std::uint64_t i = 0; i < 8; ++i) {
      const auto open = net.n.open_targets();
      if (!open.empty()) {
        const auto target = open[d.below(open.size())];
        const auto made = submission_for(target, people[1], seed * 1'000 + i * 10);
        net.apply(people[1], made.claim);
        if (d.chance(80)) {
          net.apply(people[1], made.reveal);
          const auto verdict = d.chance(60) ? audit_verdict::ok : audit_verdict::wrong_size;
          for (std::size_t v = 0; v < 1 + d.below(3); ++v)
            net.apply(four_validators()[v], tx::vote_on_submission{target.id, verdict});
        }
        if (d.chance(30)) net.refuse(people[1], made.claim, rules::refusal::target_not_open);
      }
      if (d.chance(40)) net.end_epoch();
    }
    net.end_epoch();
    std::map<std::pair<std::uint64_t, event_kind>, counted_sum> sums;
    for (const auto& e : net.all_events) {
      auto& s = sums[{e.epoch.value, e.kind}];
      ++s.count;
      s.shannons += e.amount.value;
    }
    const std::vector<std::tuple<const char*, event_kind, const char*, bool>> lines{
        {"targets", event_kind::target_opened, "target_opened", true},
        {"targets", event_kind::target_filled, "target_filled", true},
        {"targets", event_kind::data_revealed, "data_revealed", false},
        {"targets", event_kind::target_settled, "target_settled", true},
        {"targets", event_kind::target_slashed, "target_slashed", true},
        {"targets", event_kind::target_voided, "target_voided", true},
        {"targets", event_kind::reveal_missed, "reveal_missed", true},
        {"targets", event_kind::target_expired, "target_expired", false},
        {"targets", event_kind::audit_extended, "audit_extended", false},
        {"money", event_kind::submitter_paid, "submitter_paid", true},
        {"money", event_kind::model_paid, "model_paid", true},
        {"money", event_kind::voter_paid, "voter_paid", true},
        {"money", event_kind::validator_paid, "validator_paid", true},
        {"money", event_kind::bond_burned, "bond_burned", true},
        {"money", event_kind::transaction_applied, "transaction_applied", true},
        {"money", event_kind::transaction_refused, "transaction_refused", true},
    };
    for (std::uint64_t epoch = 0; epoch <= net.epoch(); ++epoch) {
      CAPTURE(epoch);
      const auto explained = net.epoch_explained(epoch);
      CHECK(explained.status == (epoch == net.epoch() ? "running" : "ended"));
      for (const auto& [passage, kind, what, with_amount] : lines) {
        CAPTURE(what);
        const auto shown = counted_in(explained, passage, what, with_amount);
        const auto expected = sums[{epoch, kind}];
        CHECK(shown.count == expected.count);
        if (with_amount) CHECK(shown.shannons == expected.shannons);
      }
    }
  }
}

TEST_CASE("an epoch's budget, emission, fees and difficulty are explained before and after") {
  explained_network net(four_validator_genesis(people));
  net.active_models(people[0], 3);
  const auto epoch = net.epoch();
  const auto before = net.n.chain_now();
  {
    const auto explained = net.epoch_explained(epoch);
    CHECK(explained.status == "running");
    const auto& pot = step_in(explained, "rules", "pot");
    CHECK(pot.section == "3");
    CHECK(value_of(pot, "pot_shannons") == before.target_pot.value);
    CHECK(value_of(pot, "flowed_shannons") == before.flowed.value);
    CHECK(value_of(pot, "targets_waiting") == 0);
    CHECK(value_of(pot, "reward_per_target_shannons") ==
          rules::target_reward(net.n.genesis.parameters, before).value);
    const auto& ends = next_in(explained, "epoch_ends");
    CHECK(value_of(ends, "not_before_ms") ==
          before.epoch_start_ms + net.n.genesis.parameters.epoch_ms);
    CHECK(ends.section == "9");
    CHECK(value_of(explained.facts, "multiplier_ppm") == before.fee_multiplier_ppm);
  }
  net.blocks(3);
  net.end_epoch();
  const auto after = net.n.chain_now();
  const auto explained = net.epoch_explained(epoch);
  CHECK(value_of(explained.facts, "first_height") == before.epoch_first_block.value);
  CHECK(value_of(explained.facts, "last_height") == net.height());
  CHECK(value_of(explained.facts, "start_ms") == before.epoch_start_ms);
  CHECK(value_of(explained.facts, "end_ms") == after.epoch_start_ms);
  const auto& fees = step_in(explained, "rules", "fees_changed");
  CHECK(value_of(fees, "multiplier_before_ppm") == before.fee_multiplier_ppm);
  CHECK(value_of(fees, "multiplier_ppm") == after.fee_multiplier_ppm);
  CHECK(fees.section == "2");
  const auto& difficulty = step_in(explained, "rules", "difficulty_changed");
  CHECK(value_of<std::int64_t>(difficulty, "difficulty_before_ppm") == before.difficulty_ppm);
  CHECK(value_of<std::int64_t>(difficulty, "difficulty_ppm") == after.difficulty_ppm);
  CHECK(step_in(explained, "rules", "emission_released").section == "3");
  // What the pot has, and the part of it that was set aside for targets at the epoch's start.
  const auto next = net.epoch_explained(epoch + 1);
  const auto opened = counted_in(next, "targets", "target_opened", true);
  CHECK(value_of(step_in(next, "rules", "pot"), "at_start_shannons") ==
        after.target_pot.value + opened.shannons);
  std::uint64_t power = 0;
  for (const auto& s : explain::find(explained, "committee")->steps) power += value_of(s, "power");
  CHECK(power == 10'000);
}
