// Protocol §9: the work at the end of an epoch depends on what is due and not on what exists.
#include "actors/rules/agenda.hpp"

#include <doctest/doctest.h>

#include <array>

#include "tests/actors/rules/network.hpp"

namespace soma::test {
namespace {

constexpr std::uint64_t one = shannons_per_soma;

/// A reader of the rows that counts what is read, by table.
class counting_state final : public ledger::state_reader {
 public:
  explicit counting_state(const memory_state& rows) : rows_(rows) {}
  [[nodiscard]] std::optional<bytes> find(const row_key& key) const override {
    ++read[key[0]];
    return rows_.find(key);
  }
  void scan(byte_view prefix,
            const std::function<void(byte_view, byte_view)>& visit) const override {
    rows_.scan(prefix, [&](byte_view key, byte_view value) {
      ++read[key[0]];
      visit(key, value);
    });
  }
  mutable std::array<std::size_t, 16> read{};

 private:
  const memory_state& rows_;
};

/// The rows that the end of an epoch reads when one thing of each kind is due and `idle` things of
/// each kind are not.
std::array<std::size_t, 16> rows_read_at_epoch_end(std::size_t idle) {
  std::vector<person> people;
  for (std::uint64_t i = 0; i < 4 + idle; ++i) people.push_back(somebody(i));
  auto genesis = small_genesis(2, people);
  genesis.parameters.initial_targets = 3;
  for (auto& account : genesis.accounts) account.balance = {1'000 * one};
  network net(genesis);
  const pool_owner pool = validator_person(900).where();
  // Idle are accounts, models that are active or never were, stakes in both kinds of pools, and
  // targets of epochs that are over.
  std::vector<model_plan> idle_models;
  for (std::size_t i = 0; i < idle; ++i) {
    idle_models.push_back(network::plan(100 + i));
    net.commit(people[4 + i], idle_models.back());
    if (net.queue.size() == 50 || i + 1 == idle) net.block();
  }
  for (std::size_t i = 0; i < idle; ++i) {
    net.send(people[4 + i], tx::add_stake{pool, {5 * one}});
    net.send(people[4 + i], tx::add_stake{idle_models[i].id, {5 * one}});
    if (net.queue.size() >= 50 || i + 1 == idle) net.block();
  }
  net.end_epoch();
  for (std::size_t i = 0; i < idle / 2; ++i) {
    net.send(people[4 + i], network::reveal_of(idle_models[i]));
    net.judge({idle_models[i].id, 1});
    if (net.queue.size() >= 50 || i + 1 == idle / 2) net.block();
  }
  net.end_epoch();
  for (int e = 0; e < 4; ++e) net.end_epoch();

  // A deposit, a withdrawal, a commit, a commission and three targets are due.
  net.send(people[0], tx::add_stake{pool, {one}});
  net.send(people[1], network::commit_of(people[1], network::plan(1)));
  net.send(people[2], tx::add_stake{pool, {one}});
  net.block();
  for (const auto& outcome : net.last.outcomes) REQUIRE(!outcome.reason);

  const counting_state counted(net.state);
  const auto input = net.next_input(genesis.parameters.epoch_ms);
  const auto begun = rules::begin_block(input, counted, net.active, genesis);
  CHECK(begun.closes_epoch());
  return counted.read;
}

// Protocol §9.2.
TEST_CASE("the rows read at the end of an epoch do not grow with the number of idle rows") {
  const auto few = rows_read_at_epoch_end(4);
  const auto many = rows_read_at_epoch_end(120);
  for (std::size_t table = 0; table < few.size(); ++table) {
    CAPTURE(table);
    CHECK(few[table] == many[table]);
  }
  const auto in = [&](ledger_table table) { return many[static_cast<std::size_t>(table)]; };
  CHECK(in(ledger_table::model) <= 2);
  CHECK(in(ledger_table::model_version) <= 2);
  CHECK(in(ledger_table::stake) == 2);
  CHECK(in(ledger_table::target) == 3);
  CHECK(in(ledger_table::agenda) <= 3 * 7);
}

std::vector<std::string> agenda_of(const network& net) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : net.state.rows()) {
    if (key[0] == 9) keys.push_back(key);
  }
  return keys;
}

// Protocol §9.2 and §9.4.
TEST_CASE("the agenda holds no past epoch and exactly the targets that still wait") {
  const std::vector people{somebody(1), somebody(2)};
  network net(small_genesis(2, people));
  const pool_owner pool = validator_person(900).where();
  const auto models = net.active_models(people[0], 2);
  for (std::uint64_t e = 0; e < 8; ++e) {
    CAPTURE(e);
    if (e < 4) {
      const auto s = submission_for(net.open_targets().front(), people[1], 10 * e);
      CHECK(!net.run(people[1], s.claim));
      if (e % 2 == 0) CHECK(!net.run(people[1], s.reveal));
    }
    CHECK(!net.run(people[0], tx::add_stake{pool, {10 * one}}));
    if (e > 0) CHECK(!net.run(people[0], tx::withdraw_stake{pool, one}));
    CHECK(
        !net.run(people[0], tx::set_commission{models[0].id, static_cast<std::uint32_t>(100 * e)}));
    net.end_epoch();
    const auto now = net.chain_now().epoch;
    std::set<target_id> on_agenda;
    for (const auto& text : agenda_of(net)) {
      const auto item = agenda_in_key(bytes(text.begin(), text.end()));
      REQUIRE(item);
      CHECK(item->epoch >= now);
      if (const auto* target = std::get_if<target_id>(&item->subject)) on_agenda.insert(*target);
    }
    for (const auto& [key, value] : net.state.rows()) {
      if (static_cast<ledger_table>(key[0]) != ledger_table::target) continue;
      const auto row = decode<target_row>(value);
      REQUIRE(row);
      const bytes raw(key.begin(), key.end());
      const bool waits = row->status == target_status::open ||
                         row->status == target_status::filled ||
                         row->status == target_status::revealed;
      CHECK(on_agenda.contains(*id_in_key<target_id>(raw)) == waits);
      // A target that is filled or has ended needs no point.
      CHECK(row->point.empty() == (row->status != target_status::open));
    }
  }
}

// Protocol §9.3.
TEST_CASE(
    "the events at the end of an epoch name emission, burning and the next multiplier and "
    "difficulty") {
  const std::vector people{somebody(1), somebody(2)};
  network net(small_genesis(1, people));
  CHECK(!net.run(people[0], tx::transfer{people[1].where(), {1}}));
  net.end_epoch();
  const auto only = [&](event_kind kind) {
    const auto found = net.events(kind);
    REQUIRE(found.size() == 1);
    CHECK(found[0].height == net.chain_now().height);
    CHECK(found[0].epoch.value == 0);
    return found[0];
  };
  // 10,000,000 - 200,000 - 1,000 SOMA over 3,650 epochs, 80 % of the first part.
  const auto emitted = only(event_kind::emission_released);
  CHECK(emitted.amount.value == 2'147'726'027'396);
  CHECK(emitted.detail == 536'931'506'850);
  // A transfer of one costs 1,600 shannons; 318,683 should have been burned.
  const auto fees = only(event_kind::fees_changed);
  CHECK(fees.amount.value == 1'600);
  CHECK(fees.detail == 1'125'000);
  CHECK(net.chain_now().fee_multiplier_ppm == 1'125'000);
  CHECK(net.chain_now().burned_this_epoch.value == 0);
  CHECK(static_cast<std::int64_t>(only(event_kind::difficulty_changed).detail) ==
        net.chain_now().difficulty_ppm);
  const auto ended = only(event_kind::epoch_ended);
  CHECK(ended.amount.value == 2'147'726'027'396);
  CHECK(ended.detail == 3);
  CHECK(net.last.events.back().kind == event_kind::epoch_ended);
  net.end_epoch();
  CHECK(net.events(event_kind::fees_changed)[0].amount.value == 0);
  CHECK(net.chain_now().fee_multiplier_ppm == 1'265'625);
}

TEST_CASE("the events of votes and extensions hold the verdict or the number of the extension") {
  const std::vector people{somebody(1), somebody(2)};
  network net(small_genesis(3, people));
  (void)net.active_models(people[0], 1);
  const auto model = net.revealed_model(people[0], 9);
  const auto voter = validator_person(900);  // without a quorum of its own
  CHECK(!net.run(voter, tx::vote_on_model{{model.id, 1}, model_verdict::malformed}));
  REQUIRE(net.events(event_kind::model_vote_cast).size() == 1);
  CHECK(net.events(event_kind::model_vote_cast)[0].model == model_version_ref{model.id, 1});
  CHECK(net.events(event_kind::model_vote_cast)[0].detail == 2);
  const auto s = submission_for(net.open_targets().front(), people[1], 1);
  CHECK(!net.run(people[1], s.claim));
  CHECK(!net.run(people[1], s.reveal));
  CHECK(!net.run(voter, tx::vote_on_submission{s.claim.target, audit_verdict::wrong_loss}));
  REQUIRE(net.events(event_kind::audit_vote_cast).size() == 1);
  CHECK(net.events(event_kind::audit_vote_cast)[0].account == voter.where());
  CHECK(net.events(event_kind::audit_vote_cast)[0].target == s.claim.target);
  CHECK(net.events(event_kind::audit_vote_cast)[0].detail == 4);
  for (std::uint64_t extension = 1; extension <= 3; ++extension) {
    net.end_epoch();
    if (extension == 1) net.end_epoch();  // the epoch after the claim is part of the audit
    REQUIRE(net.events(event_kind::audit_extended).size() == 1);
    CHECK(net.events(event_kind::audit_extended)[0].detail == extension);
    CHECK(net.events(event_kind::audit_extended)[0].target == s.claim.target);
  }
  net.end_epoch();
  REQUIRE(net.events(event_kind::target_voided).size() == 1);
  CHECK(net.events(event_kind::target_voided)[0].detail ==
        static_cast<std::uint64_t>(void_reason::undecided));
}

// Protocol §9.2.
TEST_CASE("a subject is put on an epoch's agenda once, and taken off in order") {
  network net(small_genesis(1, std::vector{somebody(1)}));
  ledger::block_state state(net.state);
  rules::block_run run{state, net.genesis.parameters, {5}};
  std::vector<model_id> models;
  for (std::uint64_t i = 0; i < 20; ++i) models.push_back(id_from<model_id>(i));
  for (const auto& m : models) rules::schedule(run, {0}, m);
  for (const auto& m : models) rules::schedule(run, {0}, m);
  rules::schedule(run, {1}, models[0]);
  rules::schedule(run, {256}, models[0]);  // the low byte of 256 is that of epoch 0
  rules::schedule(run, {0}, id_from<target_id>(1));
  std::sort(models.begin(), models.end());
  CHECK(rules::take_due<model_id>(run) == models);
  CHECK(rules::take_due<model_id>(run).empty());
  CHECK(rules::take_due<address>(run).empty());
  CHECK(rules::take_due<target_id>(run).size() == 1);
}

}  // namespace
}  // namespace soma::test
