#include "actors/rules/pools.hpp"
#include "tests/actors/explain/explained_network.hpp"

using namespace soma;
using namespace soma::test;

namespace {

const std::vector<person> people{somebody(1), somebody(2)};
const person& owner = people[0];

std::string block_text(std::uint64_t height) {
  return "block " + std::to_string(height);
}

}  // namespace

TEST_CASE("a new model's versions are explained from commit to activity, with their deadlines") {
  explained_network net(four_validator_genesis(people));
  const auto plan = net.commit(owner, 1);
  net.block();
  const auto committed = net.height();
  {
    const auto explained = net.model(plan.id);
    CHECK(explained.status == "committed");
    const auto& due = next_in(explained, "model_reveal_due");
    CHECK(value_of(due, "epoch") == net.epoch() + 1);
    CHECK(value_of(due, "version") == 1);
    check_line(due, {"must be revealed in epoch 1", "5000 basis points", "(protocol §6)"});
    const auto& done = step_in(explained, "story", "model_committed");
    check_line(done, {block_text(committed), "with 2 SOMA of own stake", "(protocol §6)"});
    CHECK(value_of(done, "amount_shannons") == 2 * shannons_per_soma);
  }
  net.end_epoch();
  net.apply(owner, network::reveal_of(plan));
  const auto revealed = net.height();
  {
    net.apply(four_validators()[0], tx::vote_on_model{{plan.id, 1}, model_verdict::good});
    const auto explained = net.model(plan.id);
    const auto& due = next_in(explained, "model_activates");
    CHECK(value_of(due, "epoch") == net.epoch());
    CHECK(value_of(due, "good_power") == 2'500);
    CHECK(value_of(due, "last_epoch") == 3);
    check_line(due, {"if validators with a power of 6667 find it good then, now 2500",
                     "it waits, and is dropped at the end of epoch 3, without a slash"});
    check_line(step_in(explained, "versions", "version"),
               {"committed in " + block_text(committed), "revealed in " + block_text(revealed),
                "on trial: validators with a power of 2500 of the 6667 needed find it good"});
  }
  for (std::size_t v = 1; v < 4; ++v)
    net.apply(four_validators()[v], tx::vote_on_model{{plan.id, 1}, model_verdict::good});
  net.end_epoch();
  const auto explained = net.model(plan.id);
  CHECK(explained.status == "active");
  CHECK(explained.next.empty());
  CHECK(value_of(explained.facts, "active_version") == 1);
  check_line(step_in(explained, "versions", "version"), {"active in " + block_text(net.height())});
  CHECK(step_in(explained, "story", "model_activated").height->value == net.height());
}

TEST_CASE("a model that is not revealed loses half of its stake, and its page says so") {
  explained_network net(four_validator_genesis(people));
  const auto plan = net.commit(owner, 1);
  net.end_epoch();
  net.end_epoch();
  const auto explained = net.model(plan.id);
  CHECK(explained.status == "inactive");
  CHECK(explained.next.empty());
  const auto& slashed = step_in(explained, "story", "model_slashed");
  CHECK(slashed.height->value == net.height());
  CHECK(value_of(slashed, "amount_shannons") == shannons_per_soma);
  check_line(slashed, {"lost 1 SOMA", "not revealed in its epoch", "(protocol §6)"});
  CHECK(value_of(explained.facts, "slashed_shannons") == shannons_per_soma);
  CHECK(contains(explained.summary, "inactive since " + block_text(net.height())));
  CHECK(contains(explained.summary, "1 SOMA"));
  check_line(step_in(explained, "versions", "version"),
             {"dropped in " + block_text(net.height()), "not revealed in epoch 1"});
}

TEST_CASE("a model that no quorum finds good is dropped, and its page says that nothing was lost") {
  explained_network net(four_validator_genesis(people));
  const auto plan = net.commit(owner, 1);
  net.end_epoch();
  net.apply(owner, network::reveal_of(plan));
  for (std::size_t v = 0; v < 2; ++v)
    net.apply(four_validators()[v], tx::vote_on_model{{plan.id, 1}, model_verdict::good});
  net.end_epoch();
  net.end_epoch();
  check_line(next_in(net.model(plan.id), "model_activates"), {"otherwise it is dropped"});
  net.end_epoch();
  const auto explained = net.model(plan.id);
  CHECK(explained.status == "inactive");
  CHECK(explained.next.empty());
  const auto& ended = step_in(explained, "story", "model_not_accepted");
  CHECK(value_of(ended, "good_power") == 5'000);
  check_line(ended, {block_text(net.height()), "validators with a power of 5000 found it good",
                     "nothing was slashed", "(protocol §6)"});
  CHECK(value_of(explained.facts, "slashed_shannons") == 0);
  CHECK(contains(explained.summary, "no quorum of validators found it good"));
  check_line(step_in(explained, "versions", "version"),
             {"dropped in " + block_text(net.height()), "no quorum had found it good"});
}

TEST_CASE("an update that is not revealed is dropped and the old version stays") {
  explained_network net(four_validator_genesis(people));
  const auto models = net.active_models(owner, 1);
  auto update = network::plan(50);
  update.id = models[0].id;
  net.apply(owner, network::commit_of(owner, update, models[0].id, 0));
  const auto committed_in = net.epoch();
  {
    const auto explained = net.model(models[0].id);
    check_line(next_in(explained, "model_reveal_due"), {"version 2", "or the update is dropped"});
  }
  net.end_epoch();
  net.end_epoch();
  const auto explained = net.model(models[0].id);
  CHECK(explained.status == "active");
  CHECK(value_of(explained.facts, "active_version") == 1);
  CHECK(value_of(explained.facts, "slashed_shannons") == 0);
  check_line(step_in(explained, "story", "model_update_dropped"),
             {block_text(net.height()), "version 2", "was dropped",
              "committed in epoch " + std::to_string(committed_in),
              "was not revealed before epoch " + std::to_string(committed_in + 1) + " ended",
              "(protocol §6)"});
  const auto* versions = explain::find(explained, "versions");
  REQUIRE(versions->steps.size() == 2);
  CHECK(value_of<std::string>(versions->steps[0], "status") == "active");
  CHECK(value_of<std::string>(versions->steps[1], "status") == "dropped");
}

TEST_CASE("a later version replaces the one before, and both say when") {
  explained_network net(four_validator_genesis(people));
  const auto models = net.active_models(owner, 1);
  auto update = network::plan(51);
  update.id = models[0].id;
  net.apply(owner, network::commit_of(owner, update, models[0].id, 0));
  net.end_epoch();
  net.apply(owner, network::reveal_of(update));
  net.judge({models[0].id, 2});
  net.end_epoch();
  const auto explained = net.model(models[0].id);
  const auto* versions = explain::find(explained, "versions");
  REQUIRE(versions->steps.size() == 2);
  CHECK(value_of<std::string>(versions->steps[0], "status") == "superseded");
  check_line(versions->steps[0], {"replaced by a later version"});
  check_line(versions->steps[1], {"active in " + block_text(net.height())});
}

TEST_CASE("a model judged bad names the power against it, the loss and where it went") {
  explained_network net(four_validator_genesis(people));
  const std::vector models{net.commit(owner, 1)};
  net.end_epoch();
  net.apply(owner, network::reveal_of(models[0]));
  const auto stake = ledger::read_model(net.n.state, models[0].id)->pool.stake.value;
  const auto validators = four_validators();
  net.apply(validators[0], tx::vote_on_model{{models[0].id, 1}, model_verdict::good});
  for (std::size_t v = 1; v < 4; ++v)
    net.apply(validators[v], tx::vote_on_model{{models[0].id, 1}, model_verdict::malformed});
  const auto explained = net.model(models[0].id);
  CHECK(explained.status == "inactive");
  const auto& slashed = step_in(explained, "story", "model_slashed");
  const auto taken = stake * 9'500 / 10'000;
  CHECK(value_of(slashed, "amount_shannons") == taken);
  check_line(
      slashed,
      {block_text(net.height()), to_text(shannons{taken}), "a quorum of validators judged it bad",
       to_text(shannons{taken / 2}) + " of it is added to the pay of all validators",
       "(protocol §6)"});
  CHECK(value_of(slashed, "to_validators_shannons") == taken / 2);
  const auto& version = step_in(explained, "versions", "version");
  CHECK(value_of<std::string>(version, "status") == "bad");
  CHECK(value_of(version, "bad_power") == 7500);
  CHECK(value_of(version, "good_power") == 2500);
  check_line(version, {"by a power of 7500 of the 6667 needed; verdicts: 1 good, 3 malformed"});
  CHECK_FALSE(has_step(explained, "story", "voter_paid"));
}

TEST_CASE("a retiring model says until when, a retired one since when") {
  explained_network net(four_validator_genesis(people));
  const auto models = net.active_models(owner, 1);
  net.apply(owner, tx::retire_model{models[0].id});
  {
    const auto explained = net.model(models[0].id);
    CHECK(value_of(next_in(explained, "model_retires"), "epoch") == net.epoch());
    CHECK(value_of<bool>(explained.facts, "retiring"));
    CHECK(contains(explained.summary, "it is retiring"));
  }
  net.end_epoch();
  const auto explained = net.model(models[0].id);
  CHECK(explained.status == "inactive");
  CHECK(explained.next.empty());
  check_line(step_in(explained, "story", "model_retired"),
             {block_text(net.height()), "retired", "(protocol §6)"});
  CHECK(contains(explained.summary, "it retired in " + block_text(net.height())));
}

TEST_CASE("a model's page counts what it won, and prices its shares") {
  explained_network net(four_validator_genesis(people));
  net.active_models(owner, 3);
  const auto validators = four_validators();
  // how often, and how many shannons
  std::map<model_id, std::pair<std::uint64_t, std::uint64_t>> won;
  for (std::uint64_t i = 0; i < 4; ++i) {
    const auto target = net.n.open_targets().front();
    const auto made = submission_for(target, people[1], 100 + 10 * i);
    net.apply(people[1], made.claim);
    net.apply(people[1], made.reveal);
    for (std::size_t v = 0; v < 3; ++v)
      net.apply(validators[v], tx::vote_on_submission{target.id, audit_verdict::ok});
    auto& w = won[made.claim.winner.model];
    ++w.first;
    w.second += target.row.reward.value / 2;
  }
  for (const auto& [id, expected] : won) {
    const auto explained = net.model(id);
    CHECK(value_of(explained.facts, "wins") == expected.first);
    CHECK(value_of(explained.facts, "paid_shannons") == expected.second);
    CHECK(contains(explained.summary, to_text(shannons{expected.second})));
    const auto row = *ledger::read_model(net.n.state, id);
    const auto& pool = step_in(explained, "pool", "pool");
    CHECK(value_of(pool, "stake_shannons") == row.pool.stake.value);
    CHECK(value_of(pool, "own_stake_shannons") == rules::own_stake(row.pool).value);
    CHECK(value_of<float>(pool, "share_price_shannons") > 1.0F);
  }
  explain::options named;
  named.names[won.begin()->first] = "cpp";
  named.events = 3;
  const auto explained = *explain::explain_model(net.store.view(), won.begin()->first, named);
  CHECK(contains(explained.summary, "model cpp (0x"));
  CHECK_FALSE(value_of<bool>(explained.facts, "events_complete"));
  CHECK(value_of(explained.facts, "events_read") == 3);
}
