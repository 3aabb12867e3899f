#include "tests/actors/explain/explained_network.hpp"

using namespace soma;
using namespace soma::test;

namespace {

const std::vector<person> people{somebody(1), somebody(2)};
const person& submitter = people[1];

/// A network with three active models and one open target claimed in the next block.
struct claimed_target {
  explained_network net;
  ledger::listed_target target;
  honest_submission made;
  std::uint64_t claimed = 0;

  explicit claimed_target(std::uint64_t window = 20) : net(genesis_with(window)) {
    net.active_models(people[0], 3);
    target = net.n.open_targets().front();
    made = submission_for(target, submitter, 77);
    net.apply(submitter, made.claim);
    claimed = net.height();
  }
  static genesis genesis_with(std::uint64_t window) {
    auto genesis = four_validator_genesis(people);
    genesis.parameters.reveal_window_blocks = window;
    return genesis;
  }
  void reveal() { net.apply(submitter, made.reveal); }
  /// Lets so much time pass that data may be called unavailable.
  void wait() { net.block(net.n.genesis.parameters.epoch_ms / 24); }
  void vote(std::size_t validator, audit_verdict verdict) {
    net.apply(four_validators()[validator], tx::vote_on_submission{target.id, verdict});
  }
  [[nodiscard]] explain::explanation explained() const { return net.target(target.id); }
  [[nodiscard]] std::uint64_t bond() const {
    return ledger::read_submission(net.n.state, target.id)->bond.value;
  }
  [[nodiscard]] std::uint64_t reward() const { return target.row.reward.value; }
};

}  // namespace

TEST_CASE("an open target says what a claim needs and when it expires") {
  explained_network net(four_validator_genesis(people));
  net.active_models(people[0], 3);
  const auto target = net.n.open_targets().front();
  const auto explained = net.target(target.id);
  CHECK(explained.status == "open");
  CHECK(explained.id == target.id.text());
  const auto& opened = step_in(explained, "story", "target_opened");
  CHECK(opened.height == target.row.opened_at);
  CHECK(opened.section == "7");
  CHECK(value_of(opened, "amount_shannons") == target.row.reward.value);
  CHECK(value_of<std::vector<std::string>>(opened, "assigned").size() == 3);
  for (const auto& ref : target.row.assigned)
    CHECK(contains(opened.text, ref.model.short_text() + " version 1"));
  const auto& due = next_in(explained, "claim_due");
  CHECK(due.section == "9");
  CHECK(value_of(due, "epoch") == net.epoch());
  CHECK(value_of(due, "not_before_ms") ==
        net.n.chain_now().epoch_start_ms + net.n.genesis.parameters.epoch_ms);
}

TEST_CASE("a settled target is explained from its claim to the last payment") {
  claimed_target t;
  CHECK(t.explained().status == "filled");
  t.reveal();
  const auto revealed = t.net.height();
  for (std::size_t v = 0; v < 3; ++v) t.vote(v, audit_verdict::ok);
  const auto settled = t.net.height();
  t.vote(3, audit_verdict::wrong_loss);  // this vote comes too late to count

  const auto explained = t.explained();
  CHECK(explained.status == "settled");
  CHECK(explained.next.empty());
  const auto model_part = t.reward() / 2;
  const auto submitter_part = t.reward() - model_part;

  const auto& claim = step_in(explained, "story", "target_filled");
  check_line(claim, {"block " + std::to_string(t.claimed) + ": ", submitter.where().short_text(),
                     "loss 1.0000", "1000 bytes", to_text(shannons{t.bond()}), "(protocol §8.1)"});
  CHECK(value_of(claim, "amount_shannons") == t.bond());
  CHECK(value_of<float>(claim, "loss") == 1.0F);
  CHECK(value_of(claim, "reveal_by_height") == t.claimed + 20);
  const auto& reveal = step_in(explained, "story", "data_revealed");
  CHECK(reveal.height->value == revealed);
  CHECK(reveal.section == "8.2");
  CHECK(value_of<std::string>(reveal, "data") == t.made.reveal.data.text());

  const auto& vote = step_in(explained, "story", "audit_vote_cast");
  check_line(vote, {"voted `ok` with power 2500", "2500 ok and 0 against so far, 6667 decide",
                    "(protocol §8.3)"});
  const auto& decided = step_in(explained, "story", "target_settled");
  check_line(decided, {"block " + std::to_string(settled) + ": ",
                       "ok votes reached 7500 of the 6667 needed", "(protocol §8.4)"});
  CHECK(value_of<bool>(decided, "by_quorum"));
  const auto& paid = step_in(explained, "story", "submitter_paid");
  CHECK(value_of(paid, "amount_shannons") == submitter_part);
  check_line(paid, {submitter.where().short_text(), to_text(shannons{submitter_part}),
                    "block " + std::to_string(settled), "protocol §8.4"});
  CHECK(value_of(step_in(explained, "story", "model_paid"), "amount_shannons") == model_part);
  CHECK(value_of(step_in(explained, "story", "bond_returned"), "amount_shannons") == t.bond());
  for (const auto& part : {to_text(shannons{submitter_part}), to_text(shannons{model_part}),
                           "block " + std::to_string(settled), std::string("protocol §8.4")})
    CHECK(contains(explained.summary, part));
  // The late vote is explained as one that did not change the decision.
  CHECK(value_of(explained.facts, "against_power") == 2500);
  CHECK(value_of(decided, "against_power") == 0);
}

TEST_CASE("a rejected submission names the verdicts, their power and who got the bond") {
  claimed_target t;
  t.reveal();
  t.vote(0, audit_verdict::wrong_loss);
  t.vote(1, audit_verdict::ok);
  t.vote(2, audit_verdict::wrong_loss);
  CHECK(t.explained().status == "revealed");
  t.vote(3, audit_verdict::wrong_size);
  const auto explained = t.explained();
  CHECK(explained.status == "slashed");
  CHECK(explained.next.empty());
  const auto& slashed = step_in(explained, "story", "target_slashed");
  CHECK(slashed.height->value == t.net.height());
  check_line(slashed, {"votes against reached 7500 of the 6667 needed", "2500 `wrong size`",
                       "5000 `wrong loss`", "(protocol §8.4)"});
  std::uint64_t to_voters = 0;
  std::size_t voters = 0;
  for (const auto& s : explain::find(explained, "story")->steps) {
    if (s.name != "voter_paid") continue;
    ++voters;
    to_voters += value_of(s, "amount_shannons");
    CHECK(s.section == "8.4");
  }
  CHECK(voters == 3);
  const auto burned = value_of(step_in(explained, "story", "bond_burned"), "amount_shannons");
  CHECK(to_voters + burned == t.bond());
  CHECK(to_voters <= t.bond() / 2);
  CHECK_FALSE(has_step(explained, "story", "submitter_paid"));
  CHECK(contains(explained.summary, "nobody was paid"));
  CHECK(contains(explained.summary, to_text(shannons{burned})));
  CHECK(contains(explained.summary, "protocol §8.4"));
}

TEST_CASE("a claim says by which block and epoch its data must be revealed") {
  const claimed_target t(5);
  const auto explained = t.explained();
  CHECK(explained.status == "filled");
  const auto& due = next_in(explained, "reveal_due");
  CHECK(value_of(due, "reveal_by_height") == t.claimed + 5);
  CHECK(value_of(due, "epoch") == t.net.epoch() + 1);
  CHECK(due.section == "8.2");
  check_line(due, {"by block " + std::to_string(t.claimed + 5), to_text(shannons{t.bond()})});
}

TEST_CASE("a missed reveal names the block at which its window ended") {
  for (const std::uint64_t waited : {3, 4, 5, 9}) {  // blocks after the claim until the epoch ends
    CAPTURE(waited);
    claimed_target t(5);
    t.net.blocks(waited);
    const auto last = std::to_string(t.claimed + 5);
    const auto waiting = t.explained();
    if (waited < 5) {
      CHECK(step_of(waiting.next, "bond_burned_at") == nullptr);
    } else {
      const auto& over = next_in(waiting, "bond_burned_at");
      check_line(over, {"no reveal is possible after block " + last});
      CHECK(value_of(over, "epoch") == t.net.epoch());
    }
    t.net.end_epoch();
    const auto explained = t.explained();
    if (waited < 4) {  // the reveal may come in one more block
      CHECK(explained.status == "filled");
      CHECK(value_of(next_in(explained, "reveal_due"), "reveal_by_height") == t.claimed + 5);
      continue;
    }
    CHECK(explained.status == "slashed");
    const auto& missed = step_in(explained, "story", "reveal_missed");
    CHECK(missed.height->value == t.net.height());
    check_line(missed, {"the window of 5 blocks ended at block " + last, "(protocol §8.2)"});
    CHECK(value_of(step_in(explained, "story", "bond_burned"), "amount_shannons") == t.bond());
    CHECK(
        contains(explained.summary, "the bond of " + to_text(shannons{t.bond()}) + " was burned"));
    CHECK(contains(explained.summary, "in block " + std::to_string(t.net.height())));
    CHECK(contains(explained.summary, "protocol §8.2"));
  }
}

TEST_CASE("a reveal that missed its epoch names the epoch, not the window") {
  claimed_target t(200);
  const auto claimed_in = t.net.epoch();
  t.net.end_epoch();
  CHECK(value_of(next_in(t.explained(), "reveal_due"), "epoch") == claimed_in + 1);
  t.net.end_epoch();
  const auto explained = t.explained();
  CHECK(explained.status == "slashed");
  check_line(step_in(explained, "story", "reveal_missed"),
             {"epoch " + std::to_string(claimed_in + 1) + ", the one after the claim, ended"});
}

TEST_CASE("an expired target names the epoch whose end it did not outlive") {
  explained_network net(four_validator_genesis(people));
  net.active_models(people[0], 3);
  const auto target = net.n.open_targets().front();
  const auto epoch = net.epoch();
  net.end_epoch();
  const auto explained = net.target(target.id);
  CHECK(explained.status == "expired");
  CHECK(explained.next.empty());
  check_line(
      step_in(explained, "story", "target_expired"),
      {"block " + std::to_string(net.height()) + ": ",
       "nobody claimed it before epoch " + std::to_string(epoch) + " ended", "(protocol §9)"});
  CHECK(contains(explained.summary, "nobody was paid: nobody claimed it before epoch " +
                                        std::to_string(epoch) + " ended in block " +
                                        std::to_string(net.height())));
}

TEST_CASE("an audit without a quorum is put off, and the last time the claim is void") {
  claimed_target t;
  t.reveal();
  const auto claimed_in = t.net.epoch();
  t.vote(0, audit_verdict::ok);
  t.vote(1, audit_verdict::ok);
  t.vote(2, audit_verdict::wrong_distance);
  const auto most = std::uint64_t{t.net.n.genesis.parameters.max_audit_extensions};
  t.net.end_epoch();
  for (std::uint64_t extensions = 0; extensions <= most; ++extensions) {
    CAPTURE(extensions);
    const auto explained = t.explained();
    CHECK(explained.status == "revealed");
    const auto& due = next_in(explained, "audit_decided");
    CHECK(value_of(due, "epoch") == claimed_in + 1 + extensions);
    CHECK(value_of(due, "extensions") == extensions);
    CHECK(value_of(due, "against_power") == 2500);
    CHECK(due.section == "8.4");
    check_line(due,
               {"extensions so far " + std::to_string(extensions) + " of " + std::to_string(most),
                extensions < most ? "it waits one more epoch"
                                  : "the claim is void and the bond goes back"});
    t.net.end_epoch();
  }
  const auto explained = t.explained();
  CHECK(explained.status == "void");
  CHECK(explained.next.empty());
  std::size_t put_off = 0;
  for (const auto& s : explain::find(explained, "story")->steps) {
    if (s.name != "audit_extended") continue;
    CHECK(value_of(s, "extensions") == ++put_off);
    CHECK(s.section == "8.4");
  }
  CHECK(put_off == most);
  const auto& voided = step_in(explained, "story", "target_voided");
  CHECK(value_of<std::string>(voided, "reason") == "undecided");
  CHECK_FALSE(value_of<bool>(voided, "by_quorum"));
  check_line(voided, {"no quorum of validators said whether it is right",
                      "5000 had voted ok and 2500 against: 2500 `wrong distance`, 6667 decide",
                      "after 3 extensions", "block " + std::to_string(t.net.height())});
  CHECK(value_of(step_in(explained, "story", "bond_returned"), "amount_shannons") == t.bond());
  CHECK(contains(explained.summary, "nobody was paid"));
  CHECK(contains(explained.summary, "went back to the submitter"));
}

TEST_CASE("a claim whose data nobody could fetch is void, and its bond is burned") {
  claimed_target t;
  t.reveal();
  t.wait();
  for (std::size_t v = 0; v < 3; ++v) t.vote(v, audit_verdict::unavailable);
  const auto explained = t.explained();
  CHECK(explained.status == "void");
  const auto& voided = step_in(explained, "story", "target_voided");
  CHECK(value_of<std::string>(voided, "reason") == "unavailable");
  CHECK(value_of<bool>(voided, "by_quorum"));
  check_line(voided, {"could not fetch its data", "7500 `unavailable`", "(protocol §8.4)"});
  CHECK(value_of(step_in(explained, "story", "bond_burned"), "amount_shannons") == t.bond());
  CHECK_FALSE(has_step(explained, "story", "voter_paid"));
  CHECK(contains(explained.summary, "was burned in block " + std::to_string(t.net.height())));
}

TEST_CASE("a claim on data that another revealed since is void, and its page says who had it") {
  explained_network net(four_validator_genesis(people));
  net.active_models(people[0], 3);
  const auto open = net.n.open_targets();
  const auto first = submission_for(open[0], people[0], 600);
  const auto second = submission_for(open[1], people[1], 600);
  net.apply(people[0], first.claim);
  net.apply(people[1], second.claim);
  net.apply(people[0], first.reveal);
  net.apply(people[1], second.reveal);
  const auto explained = net.target(second.claim.target);
  CHECK(explained.status == "void");
  const auto& voided = step_in(explained, "story", "target_voided");
  CHECK(value_of<std::string>(voided, "reason") == "data in use");
  check_line(voided, {"another submitter revealed the same data since the claim"});
  CHECK(contains(explained.summary, "went back to the submitter"));
  CHECK(contains(explained.summary, first.reveal.data.short_text()));
}

TEST_CASE("an unknown id or epoch is refused by name") {
  const scratch_directory dir;
  const tables::ledger_store empty(dir.path(), {.map_bytes = 64u << 20});
  CHECK(explain::explain_target(empty.view(), {}).error() == explain::refusal::no_ledger);
  CHECK(explain::explain_epoch(empty.view(), {}).error() == explain::refusal::no_ledger);
  const explained_network net(four_validator_genesis(people));
  const auto view = net.store.view();
  CHECK(explain::explain_target(view, id_from<target_id>(1)).error() ==
        explain::refusal::target_unknown);
  CHECK(explain::explain_model(view, id_from<model_id>(1)).error() ==
        explain::refusal::model_unknown);
  CHECK(explain::explain_address(view, id_from<address>(1)).error() ==
        explain::refusal::address_unknown);
  CHECK(explain::explain_epoch(view, {1}).error() == explain::refusal::epoch_to_come);
  for (const auto reason : {explain::refusal::no_ledger, explain::refusal::target_unknown,
                            explain::refusal::model_unknown, explain::refusal::address_unknown,
                            explain::refusal::epoch_to_come})
    CHECK(explain::to_text(reason) != "unknown refusal");
}
