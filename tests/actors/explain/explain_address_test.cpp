#include "tests/actors/explain/explained_network.hpp"

using namespace soma;
using namespace soma::test;

namespace {

const std::vector<person> people{somebody(1), somebody(2), somebody(3)};
const person& owner = people[0];
const person& submitter = people[1];
const person& delegator = people[2];

std::uint64_t sum_in(const explain::explanation& explained, std::string_view passage,
                     std::string_view what) {
  return has_step(explained, passage, what)
             ? value_of(step_in(explained, passage, what), "amount_shannons")
             : 0;
}

}  // namespace

TEST_CASE("a delegator's deposit and withdrawal are followed to the last shannon") {
  explained_network net(four_validator_genesis(people));
  const auto models = net.active_models(owner, 1);
  const auto deposit = 5 * shannons_per_soma;
  const stake_position position{models[0].id, delegator.where()};
  net.apply(delegator, tx::add_stake{models[0].id, {deposit}});
  {
    const auto explained = net.account(delegator);
    const auto& due = next_in(explained, "deposit_joins");
    CHECK(value_of(due, "amount_shannons") == deposit);
    CHECK(value_of(due, "epoch") == net.epoch());
    check_line(due, {"5 SOMA", "becomes shares at the end of epoch " + std::to_string(net.epoch()),
                     "(protocol §4)"});
    CHECK(sum_in(explained, "given", "stake_added") == deposit);
    CHECK(value_of(step_in(explained, "stakes", "position"), "joining_shannons") == deposit);
  }
  net.end_epoch();
  const auto shares = ledger::read_stake(net.n.state, position)->shares;
  {
    const auto explained = net.account(delegator);
    CHECK(explained.next.empty());
    const auto& held = step_in(explained, "stakes", "position");
    CHECK(value_of(held, "shares") == shares);
    CHECK(value_of<std::string>(held, "model") == models[0].id.text());
    const auto& joined = step_in(explained, "story", "stake_joined");
    CHECK(joined.height->value == net.height());
    CHECK(value_of(joined, "shares") == shares);
    // The explanation of the model shows the same position.
    const auto of_model = net.model(models[0].id);
    CHECK(value_of<std::string>(step_in(of_model, "pool", "position"), "holder") ==
          delegator.where().text());
  }
  net.apply(delegator, tx::withdraw_stake{models[0].id, shares});
  {
    const auto explained = net.account(delegator);
    const auto& due = next_in(explained, "shares_leave");
    CHECK(value_of(due, "shares") == shares);
    CHECK(value_of(due, "epoch") == net.epoch());
    check_line(due, {"paid out at the end of epoch " + std::to_string(net.epoch() + 1)});
  }
  net.end_epoch();
  const auto left = net.n.events(event_kind::stake_left).front();
  {
    const auto explained = net.account(delegator);
    const auto& due = next_in(explained, "unbonding_paid");
    CHECK(value_of(due, "amount_shannons") == left.amount.value);
    CHECK(value_of(due, "epoch") == left.detail);
    check_line(due, {to_text(left.amount), "(protocol §4)"});
  }
  net.end_epoch();
  const auto explained = net.account(delegator);
  CHECK(explained.next.empty());
  CHECK(sum_in(explained, "received", "stake_paid_out") == left.amount.value);
  CHECK(explain::find(explained, "stakes")->steps.empty());
  check_line(step_in(explained, "story", "stake_paid_out"),
             {"block " + std::to_string(net.height()), to_text(left.amount), "(protocol §4)"});
}

TEST_CASE("a refusal is explained with its rule, its block and the request") {
  explained_network net(four_validator_genesis(people));
  net.active_models(owner, 3);
  const auto target = net.n.open_targets().front();
  auto made = submission_for(target, submitter, 5);
  made.claim.winner.version = 9;
  net.refuse(submitter, made.claim, rules::refusal::model_not_assigned);
  const auto fee = net.n.last.outcomes.back().fee;
  const auto explained = net.account(submitter);
  const auto& refused = step_in(explained, "refusals", "transaction_refused");
  CHECK(value_of<std::string>(refused, "refusal") == "model_not_assigned");
  CHECK(value_of<std::string>(refused, "why") ==
        rules::to_text(rules::refusal::model_not_assigned));
  check_line(refused, {"block " + std::to_string(net.height()) + ": ",
                       "claim of target " + target.id.short_text(),
                       "the model is not assigned to the target", to_text(fee), "(protocol §8.1)"});
  CHECK(sum_in(explained, "given", "transaction_refused") == fee.value);
}

TEST_CASE("an address waits for its claims, and the waiting ends with them") {
  explained_network net(four_validator_genesis(people));
  net.active_models(owner, 3);
  const auto target = net.n.open_targets().front();
  const auto made = submission_for(target, submitter, 9);
  net.apply(submitter, made.claim);
  const auto claimed = net.height();
  {
    const auto explained = net.account(submitter);
    const auto& due = next_in(explained, "reveal_due");
    CHECK(value_of<std::string>(due, "target") == target.id.text());
    CHECK(value_of(due, "reveal_by_height") == claimed + 20);
    CHECK(contains(due.text, "target " + target.id.short_text()));
  }
  net.apply(submitter, made.reveal);
  CHECK(value_of(next_in(net.account(submitter), "audit_decided"), "ok_power") == 0);
  for (const auto& v : {0, 1, 2}) {
    net.apply(four_validators()[static_cast<std::size_t>(v)],
              tx::vote_on_submission{target.id, audit_verdict::ok});
  }
  const auto explained = net.account(submitter);
  CHECK(explained.next.empty());
  CHECK(sum_in(explained, "received", "submitter_paid") ==
        target.row.reward.value - target.row.reward.value / 2);
  CHECK(contains(explained.summary,
                 to_text(shannons{target.row.reward.value - target.row.reward.value / 2})));
}

TEST_CASE("a balance is the first amount, plus all income, less all spending") {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    CAPTURE(seed);
    dice d{seed};
    explained_network net(four_validator_genesis(people));
    net.active_models(owner, 3);
    const auto start = net.n.balance(submitter);
    REQUIRE(start == 100'000 * shannons_per_soma);
    for (std::uint64_t i = 0; i < 6; ++i) {
      const auto open = net.n.open_targets();
      if (open.empty()) {
        net.end_epoch();
        continue;
      }
      const auto target = open[d.below(open.size())];
      const auto made = submission_for(target, submitter, seed * 1'000 + i * 10);
      net.apply(submitter, made.claim);
      if (d.chance(70)) net.apply(submitter, made.reveal);
      if (d.chance(30)) net.refuse(submitter, made.claim, rules::refusal::target_not_open);
      if (d.chance(50)) net.apply(submitter, tx::transfer{owner.where(), {d.below(1'000) + 1}});
      if (d.chance(50)) net.apply(owner, tx::transfer{submitter.where(), {d.below(1'000) + 1}});
      const auto verdict = d.chance(60) ? audit_verdict::ok : audit_verdict::wrong_loss;
      if (ledger::read_submission(net.n.state, target.id)->revealed_at) {
        for (std::size_t v = 0; v < 3; ++v)
          net.apply(four_validators()[v], tx::vote_on_submission{target.id, verdict});
      }
      if (d.chance(30)) net.end_epoch();
    }
    const auto explained = net.account(submitter);
    const auto came = sum_in(explained, "received", "submitter_paid") +
                      sum_in(explained, "received", "transferred") +
                      sum_in(explained, "received", "bond_returned");
    const auto went = sum_in(explained, "given", "target_filled") +
                      sum_in(explained, "given", "sent") +
                      sum_in(explained, "given", "transaction_applied") +
                      sum_in(explained, "given", "transaction_refused");
    CHECK(value_of(explained.facts, "balance_shannons") == net.n.balance(submitter));
    CHECK(start + came - went == net.n.balance(submitter));
  }
}

TEST_CASE("a validator's page shows its seat and what it must still do to be paid") {
  explained_network net(four_validator_genesis(people));
  const auto who = four_validators()[1];
  net.apply(owner, tx::transfer{who.where(), {shannons_per_soma}});  // pays the fee for leaving
  net.blocks(4);
  const auto explained = net.account(who);
  CHECK(explained.status == "validator");
  const auto seat = *ledger::find_seat(net.n.state, who.where());
  const auto& shown = step_in(explained, "validator", "seat");
  CHECK(value_of(shown, "power") == seat.power.value);
  CHECK(value_of(shown, "blocks_signed") == seat.blocks_signed);
  CHECK(value_of(shown, "blocks") == 4);
  const auto& due = next_in(explained, "participation");
  CHECK(value_of(due, "epoch") == net.epoch());
  CHECK(due.section == "5");
  net.apply(who, tx::leave_committee{});
  const auto leaving = net.account(who);
  CHECK(value_of(next_in(leaving, "seat_ends"), "epoch") == net.epoch());
  net.end_epoch();
  const auto gone = net.account(who);
  CHECK(step_of(gone.next, "seat_ends") == nullptr);
  CHECK_FALSE(has_step(gone, "validator", "seat"));
  CHECK(has_step(gone, "story", "validator_unseated"));
}

TEST_CASE("the explanation says when the limit let it read fewer events than there are") {
  explained_network net(four_validator_genesis(people));
  for (int i = 0; i < 10; ++i) net.apply(owner, tx::transfer{submitter.where(), {1}});
  explain::options few;
  few.events = 4;
  few.listed = 2;
  const auto explained = *explain::explain_address(net.store.view(), owner.where(), few);
  CHECK(value_of(explained.facts, "events_read") == 4);
  CHECK_FALSE(value_of<bool>(explained.facts, "events_complete"));
  CHECK(explain::find(explained, "story")->steps.size() == 2);
  CHECK(value_of<bool>(net.account(owner).facts, "events_complete"));
}
