#include "actors/validator/auditor.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <deque>
#include <set>

#include "actors/rules/models.hpp"
#include "actors/rules/pools.hpp"
#include "actors/scorer/scorer_worker.hpp"
#include "messages/signing/signing.hpp"
#include "model/noise/noise.hpp"
#include "tests/actors/validator/lone_auditor.hpp"
#include "tests/actors/validator/one_validator.hpp"

namespace soma::test {
namespace {

using crypto::seeded_random;
using scorer::refused;
using scorer::work_refusal;
using validator::validator_options;

constexpr std::uint64_t seeds = 20;
constexpr model_architecture small_architecture{2, 16, 4, 48, 64};

std::vector<float> drawn_floats(seeded_random& random) {
  std::vector<float> drawn(small_architecture.dim);
  for (auto& value : drawn) value = static_cast<float>(random.below(1'000)) / 1'000;
  return drawn;
}

/// A version of a model, with the rows that the ledger has of it.
struct drawn_version {
  model_version_ref ref;
  model_row model;
  model_version_row row;

  drawn_version(seeded_random& random, std::uint64_t activation_order) {
    ref = {random.next_id<model_id>(), static_cast<std::uint32_t>(1 + random.below(9))};
    model.owner = random.next_id<address>();
    model.status = model_status::active;
    model.pool.stake = {random.below(1'000'000)};
    // Some owners hold less than a tenth, so that not all of the stake counts.
    model.pool.shares = model.pool.stake.value;
    model.pool.owner_shares = random.below(model.pool.shares + 1) / 8;
    row.activation_order = activation_order;
    row.status = version_status::revealed;
    row.weights = random.next_id<weights_hash>();
    random.fill(row.key);
    row.manifest = {1 + random.below(1'000'000), 1u << 20, random.next_id<blob_id>(), {}};
    random.fill(row.manifest.iv);
    row.embedding = drawn_floats(random);
  }
  void add_to(std::vector<row_change>& rows) const {
    rows.push_back({model_key(ref.model), encode(model)});
    rows.push_back({model_version_key(ref), encode(row)});
  }
  [[nodiscard]] model_entry entry() const {
    return {ref,
            model.owner,
            rules::counted_stake(model.pool),
            row.activation_order,
            row.weights,
            row.key,
            row.manifest,
            row.embedding};
  }
};

/// A target whose data was revealed, and what an honest scorer finds.
struct drawn_target {
  target_id id;
  target_row row;
  submission_row claim;
  std::vector<float> losses;  // by assigned version; one that is not finite is not valid
  std::uint32_t winner = 0;

  /// One model wins by protocol §8.3: those before it have a larger loss, and those after it have
  /// no loss that is better by one part in 4096. Models that are not valid do not count.
  drawn_target(seeded_random& random, const std::vector<drawn_version>& assigned) {
    id = random.next_id<target_id>();
    row.seed = random.below(1u << 30);
    row.status = target_status::revealed;
    winner = static_cast<std::uint32_t>(random.below(assigned.size()));
    const auto order = assigned[winner].row.activation_order;
    const auto best = 1 + static_cast<float>(random.below(1'000)) / 1'000;
    for (std::size_t i = 0; i < assigned.size(); ++i) {
      row.assigned.push_back(assigned[i].ref);
      const bool is_later = assigned[i].row.activation_order > order;
      losses.push_back(is_later && random.below(2) == 0 ? best * 0.9999f : best * 1.01f);
      if (random.below(4) == 0) losses.back() = INFINITY;
    }
    losses[winner] = best;
    claim.winner = assigned[winner].ref;
    claim.loss_bits = std::bit_cast<std::uint32_t>(best);
    claim.distance_q30 = static_cast<std::uint32_t>(random.below(1u << 31));
    claim.size_bytes = 1 + random.below(1u << 20);
    claim.data = random.next_id<data_hash>();
    claim.blob = random.next_id<blob_id>();
  }
  void add_to(std::vector<row_change>& rows) const {
    rows.push_back({target_key(id), encode(row)});
    rows.push_back({submission_key(id), encode(claim)});
    rows.push_back({agenda_key({{}, id}), encode(agenda_row{})});
  }
  [[nodiscard]] message<schema::ScoreReport> report() const {
    return message<schema::ScoreReport>::build([&](auto out) {
      auto results = out.initResults(static_cast<unsigned>(losses.size()));
      for (unsigned i = 0; i < losses.size(); ++i) {
        const bool is_valid = losses[i] != INFINITY;
        fill(results[i].initRef(), row.assigned[i]);
        results[i].setGivenUp(!is_valid);
        results[i].setValid(is_valid);
        if (is_valid) results[i].setLoss(losses[i]);
      }
      out.setWinner(winner);
      out.setDistanceQ30(claim.distance_q30);
      out.setData(data_of(claim.data));
    });
  }
};

/// The one target or version that an open request is about.
const drawn_target& subject_of(const open_score& open, const std::vector<drawn_target>& targets) {
  const auto blob = id_or_zero<blob_id>(open.asked.root().getBlob());
  const auto found = std::find_if(targets.begin(), targets.end(),
                                  [&](const auto& t) { return t.claim.blob == blob; });
  REQUIRE(found != targets.end());
  return *found;
}
const drawn_version& subject_of(const open_check& open,
                                const std::vector<drawn_version>& versions) {
  const auto ref = ref_of(open.asked.root().getModel().getRef());
  const auto found =
      std::find_if(versions.begin(), versions.end(), [&](const auto& v) { return v.ref == ref; });
  REQUIRE(found != versions.end());
  return *found;
}

message<schema::ModelCheck> check_of(model_verdict verdict) {
  return message<schema::ModelCheck>::build(
      [&](auto out) { out.setVerdict(static_cast<schema::ModelVerdict>(verdict)); });
}

event reveal_of(const drawn_target& target) {
  return with<event>([&](event& happened) {
    happened.kind = event_kind::data_revealed;
    happened.target = target.id;
  });
}
event reveal_of(const drawn_version& version) {
  return with<event>([&](event& happened) {
    happened.kind = event_kind::model_revealed;
    happened.model = version.ref;
  });
}

std::vector<drawn_version> drawn_versions(seeded_random& random, std::size_t count) {
  std::vector<drawn_version> drawn;
  for (std::size_t i = 0; i < count; ++i) drawn.emplace_back(random, 1 + random.below(99) * 64 + i);
  return drawn;
}
std::vector<drawn_target> drawn_targets(seeded_random& random, std::size_t count,
                                        const std::vector<drawn_version>& assigned) {
  std::vector<drawn_target> drawn;
  for (std::size_t i = 0; i < count; ++i) drawn.emplace_back(random, assigned);
  return drawn;
}
template <class... Lists>
std::vector<row_change> rows_of(const Lists&... lists) {
  std::vector<row_change> rows;
  const auto add = [&](const auto& list) {
    for (const auto& item : list) item.add_to(rows);
  };
  (add(lists), ...);
  return rows;
}

/// The answers to work that was not done and that say nothing about what was to be judged. The last
/// two are a refusal of another role and the death of the scorer.
template <class Reply>
std::vector<std::optional<message<Reply>>> kinds_of_trouble() {
  std::vector<std::optional<message<Reply>>> kinds;
  const auto add = [&](auto fill_in) {
    kinds.emplace_back(message<Reply>::build([&](auto out) {
      fill_in(out.initRefusal());
      // The verdict beside a refusal means nothing.
      if constexpr (std::is_same_v<Reply, schema::ModelCheck>)
        out.setVerdict(schema::ModelVerdict::MALFORMED);
    }));
  };
  for (const auto refusal :
       {work_refusal::bad_request, work_refusal::model_unavailable, work_refusal::bad_model,
        work_refusal::busy, work_refusal::worker_lost, work_refusal::failed}) {
    add([&](auto out) { scorer::fill_refusal(out, refusal); });
  }
  add([](auto out) { out.setMempool(schema::MempoolRefusal::POOL_FULL); });
  kinds.emplace_back(std::nullopt);
  return kinds;
}

/// A scorer that answers checks of models as a script says; the last answer stands for ever.
scorer::scorer_actor::behavior_type scripted_scorer(
    scorer::scorer_actor::pointer,
    std::shared_ptr<std::deque<message<schema::ModelCheck>>> script) {
  return {[](const message<schema::ScoreRequest>&) { return message<schema::ScoreReport>{}; },
          [script](const message<schema::CheckModel>&) {
            auto answer = script->front();
            if (script->size() > 1) script->pop_front();
            return answer;
          },
          [](const message<schema::PredictRequest>&) { return message<schema::PredictReport>{}; },
          [](const message<schema::JoinPool>&) { return message<schema::Ack>{}; },
          [](const message<schema::GetPoolStatus>&) { return message<schema::PoolStatus>{}; }};
}

}  // namespace

TEST_CASE("there is an entry of a version only when the ledger has its model and its reveal") {
  seeded_random random(1);
  auto versions = drawn_versions(random, 3);
  versions[1].row.embedding.clear();
  auto rows = rows_of(versions);
  std::erase_if(rows, [&](const auto& row) { return row.key == model_key(versions[2].ref.model); });
  rows.push_back({chain_key(), encode(chain_row{})});
  const scratch_directory folder;
  tables::ledger_store ledger(folder.path() / "ledger", {1u << 26, false, false});
  ledger.init(genesis_bytes(), rows);
  const auto find = [&](const model_version_ref& version) {
    return validator::entry_in_ledger(ledger.view(), version);
  };
  CHECK(find(versions[0].ref) == versions[0].entry());
  CHECK_FALSE(find({versions[0].ref.model, versions[0].ref.version + 1}).has_value());
  CHECK_FALSE(find(versions[1].ref).has_value());
  CHECK_FALSE(find(versions[2].ref).has_value());
}

TEST_CASE("the scorer is asked for exactly what was assigned and revealed") {
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    CAPTURE(seed);
    seeded_random random(seed);
    const auto versions = drawn_versions(random, 1 + random.below(6));
    const auto targets = drawn_targets(random, 3, versions);
    validator_options options;
    options.max_audits = 100;
    genesis_parameters parameters;
    parameters.architecture = small_architecture;
    lone_auditor alone(rows_of(versions, targets), options, {}, parameters);
    alone.start();
    REQUIRE(alone.scores().size() == targets.size());
    for (const auto& open : alone.scores()) {
      const auto asked = open.asked.root();
      const auto& target = subject_of(open, targets);
      CHECK(asked.getData().size() == 0);
      CHECK(asked.getSizeBytes() == target.claim.size_bytes);
      CHECK(asked.getSeed() == signing::scoring_seed_of(target.id));
      CHECK(floats_of(asked.getPoint()) == noise::normals(target.row.seed, small_architecture.dim));
      CHECK(asked.getWinnerOnly());
      REQUIRE(asked.getModels().size() == versions.size());
      for (unsigned i = 0; i < versions.size(); ++i) {
        CHECK(entry_of(asked.getModels()[i]) == versions[i].entry());
      }
    }
    REQUIRE(alone.checks().size() == versions.size());
    for (const auto& open : alone.checks()) {
      const auto asked = open.asked.root();
      CHECK(entry_of(asked.getModel()) == subject_of(open, versions).entry());
      CHECK(model_architecture{asked.getLayers(), asked.getDim(), asked.getHeads(), asked.getFfn(),
                               asked.getMaxSeq()} == small_architecture);
    }
  }
}

TEST_CASE("a submission that is scored as claimed is ok; anything else is named") {
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    CAPTURE(seed);
    seeded_random random(seed);
    const auto versions = drawn_versions(random, 1 + random.below(6));
    auto targets = drawn_targets(random, 7, versions);
    std::map<target_id, message<schema::ScoreReport>> reports;
    std::multimap<target_id, audit_verdict> wanted;
    const auto expect = [&](const drawn_target& target, message<schema::ScoreReport> report,
                            audit_verdict verdict) {
      reports[target.id] = std::move(report);
      wanted.emplace(target.id, verdict);
    };
    expect(targets[0], targets[0].report(), audit_verdict::ok);
    targets[1].claim.loss_bits ^= 1u << random.below(31);
    expect(targets[1], targets[1].report(), audit_verdict::wrong_loss);
    expect(targets[2], targets[2].report(), audit_verdict::wrong_distance);
    targets[2].claim.distance_q30 ^= 1u << random.below(31);
    targets[3].claim.winner.version += 1;
    expect(targets[3], targets[3].report(), audit_verdict::wrong_winner);
    std::fill(targets[4].losses.begin(), targets[4].losses.end(), INFINITY);
    expect(targets[4], targets[4].report(), audit_verdict::wrong_winner);
    // The store has other data under the name: it is missing.
    expect(targets[5], targets[5].report(), audit_verdict::unavailable);
    targets[5].claim.data = random.next_id<data_hash>();
    expect(targets[6], refused<schema::ScoreReport>(work_refusal::wrong_size),
           audit_verdict::wrong_size);
    validator_options options;
    options.max_audits = static_cast<unsigned>(1 + random.below(8));
    options.audit_attempts = 1;
    lone_auditor alone(rows_of(versions, targets), options);
    for (const auto& target : targets) alone.notice({reveal_of(target)});
    while (alone.open() > 0) {
      const auto index = random.below(alone.scores().size());
      const auto id = subject_of(alone.scores()[index], targets).id;
      alone.answer_score(index, reports.at(id));
      CHECK(alone.votes().on_submissions.count(id) == 1);
    }
    CHECK(alone.votes().on_submissions == wanted);
    alone.pass();
    CHECK(alone.open() == 0);
  }
}

TEST_CASE("data that stays missing is unavailable at the last attempt, and not before it") {
  const auto trouble = kinds_of_trouble<schema::ScoreReport>();
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    CAPTURE(seed);
    seeded_random random(seed);
    const auto versions = drawn_versions(random, 2);
    const auto targets = drawn_targets(random, 3, versions);
    validator_options options;
    options.audit_attempts = static_cast<std::uint32_t>(1 + random.below(6));
    lone_auditor alone(rows_of(versions, targets), options);
    for (const auto& target : targets) alone.notice({reveal_of(target)});
    std::map<target_id, std::uint32_t> missing;
    std::multimap<target_id, audit_verdict> wanted;
    for (auto open = alone.open(); open > 0; open = alone.open()) {
      const auto& target = subject_of(alone.scores()[0], targets);
      const auto what = random.below(8);
      if (what == 0) {
        wanted.emplace(target.id, audit_verdict::ok);
        alone.answer_score(0, target.report());
      } else if (what < 4) {  // no attempt, since the data was not looked for
        alone.answer_score(0, trouble[random.below(trouble.size())]);
      } else {
        if (++missing[target.id] == options.audit_attempts)
          wanted.emplace(target.id, audit_verdict::unavailable);
        alone.answer_score(0, refused<schema::ScoreReport>(work_refusal::data_unavailable));
      }
      CHECK(alone.votes().on_submissions == wanted);
      REQUIRE(alone.open() == open - 1);  // nothing is tried again before time has passed
      if (alone.open() == 0) alone.pass();
    }
    CHECK(wanted.size() == targets.size());
  }
}

// Protocol §8.3.4.
TEST_CASE("data is not called unavailable before it is overdue, however often it is missing") {
  seeded_random random(1);
  const auto versions = drawn_versions(random, 1);
  auto targets = drawn_targets(random, 1, versions);
  validator_options options;
  options.audit_attempts = 2;
  genesis_parameters parameters;
  parameters.epoch_ms = 24 * 5'000;
  targets[0].claim.revealed_ms = lone_auditor::start_ms;
  lone_auditor alone(rows_of(versions, targets), options, {}, parameters);
  alone.notice({reveal_of(targets[0])});
  const auto miss = [&] {
    REQUIRE(alone.scores().size() == 1);
    alone.answer_score(0, refused<schema::ScoreReport>(work_refusal::data_unavailable));
  };
  for (int attempt = 0; attempt < 7; ++attempt) {
    miss();
    CHECK(alone.votes().size() == 0);
    alone.pass();
  }
  alone.commit({}, lone_auditor::start_ms + 4'999);
  miss();
  CHECK(alone.votes().size() == 0);
  alone.commit({}, lone_auditor::start_ms + 5'000);
  alone.pass();
  miss();
  CHECK(alone.votes().on_submissions ==
        std::multimap<target_id, audit_verdict>{{targets[0].id, audit_verdict::unavailable}});
}

// Protocol §8.3.1.
TEST_CASE(
    "a version that was judged bad is not scored: it loses, and alone it makes any claim wrong") {
  seeded_random random(1);
  auto versions = drawn_versions(random, 3);
  const auto targets = drawn_targets(random, 1, versions);
  std::size_t loser = 0;
  while (versions[loser].ref == targets[0].claim.winner) ++loser;
  versions[loser].row.status = version_status::bad;
  lone_auditor alone(rows_of(versions, targets), {});
  alone.notice({reveal_of(targets[0])});
  REQUIRE(alone.scores().size() == 1);
  const auto asked = alone.scores()[0].asked.root().getModels();
  REQUIRE(asked.size() == 2);
  for (const auto model : asked) CHECK(ref_of(model.getRef()) != versions[loser].ref);
  for (auto& version : versions) version.row.status = version_status::bad;
  lone_auditor all_bad(rows_of(versions, targets), {});
  all_bad.notice({reveal_of(targets[0])});
  CHECK(all_bad.open() == 0);
  CHECK(all_bad.votes().on_submissions ==
        std::multimap<target_id, audit_verdict>{{targets[0].id, audit_verdict::wrong_winner}});
}

// Protocol §6.8.
TEST_CASE(
    "when an epoch begins a member judges what is on trial, also what was revealed before it had a "
    "seat") {
  seeded_random random(1);
  auto versions = drawn_versions(random, 3);
  versions[1].row.votes.push_back({address{}, 1, model_verdict::good});  // its own
  auto rows = rows_of(versions);
  for (auto& version : versions) {
    version.model.latest_version = version.ref.version;
    rows.push_back({model_key(version.ref.model), encode(version.model)});
  }
  for (std::size_t i = 0; i < 2; ++i)
    rows.push_back({agenda_key({{}, versions[i].ref.model}), encode(agenda_row{})});
  lone_auditor alone(rows, {});
  auto ended = with<event>([](event& happened) { happened.kind = event_kind::epoch_ended; });
  alone.notice({ended});
  REQUIRE(alone.checks().size() == 1);
  CHECK(subject_of(alone.checks()[0], versions).ref == versions[0].ref);
  alone.notice({ended, reveal_of(versions[0])});
  CHECK(alone.checks().size() == 1);  // nothing is judged twice at once
}

TEST_CASE("the scorer's own trouble is no vote on a submission; it is scored again later") {
  seeded_random random(1);
  const auto versions = drawn_versions(random, 3);
  const auto targets = drawn_targets(random, 1, versions);
  const validator_options options;
  for (const auto& trouble : kinds_of_trouble<schema::ScoreReport>()) {
    CAPTURE(trouble ? static_cast<int>(scorer::work_refusal_of(trouble->root().getRefusal())) : -1);
    lone_auditor alone(rows_of(versions, targets), options);
    alone.notice({reveal_of(targets[0])});
    for (std::uint32_t i = 0; i < 2 * options.audit_attempts; ++i) {
      REQUIRE(alone.scores().size() == 1);
      alone.answer_score(0, trouble);
      REQUIRE(alone.open() == 0);  // time has not moved on
      CHECK(alone.votes().size() == 0);
      alone.pass();
    }
    REQUIRE(alone.scores().size() == 1);
    alone.answer_score(0, targets[0].report());
    CHECK(alone.votes().on_submissions ==
          std::multimap<target_id, audit_verdict>{{targets[0].id, audit_verdict::ok}});
  }
}

TEST_CASE("a model gets the verdict of its check, and none as long as its weights are missing") {
  const auto trouble = kinds_of_trouble<schema::ModelCheck>();
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    CAPTURE(seed);
    seeded_random random(seed);
    const auto versions = drawn_versions(random, 3);
    lone_auditor alone(rows_of(versions), {});
    for (const auto& version : versions) alone.notice({reveal_of(version)});
    std::multimap<model_version_ref, model_verdict> wanted;
    for (auto open = alone.open(); open > 0; open = alone.open()) {
      const auto& version = subject_of(alone.checks()[0], versions);
      const auto verdict = static_cast<model_verdict>(random.below(5));
      const bool is_trouble = random.below(4) != 0;  // among it weights that are missing
      if (!is_trouble) wanted.emplace(version.ref, verdict);
      alone.answer_check(0, is_trouble ? trouble[random.below(trouble.size())] : check_of(verdict));
      CHECK(alone.votes().on_models == wanted);
      REQUIRE(alone.open() == open - 1);  // nothing is tried again before time has passed
      if (alone.open() == 0) alone.pass();
    }
    CHECK(wanted.size() == versions.size());
  }
}

TEST_CASE("the scorer never has more than max_audits requests, nor fewer while more are due") {
  const auto troubled_scores = kinds_of_trouble<schema::ScoreReport>();
  const auto troubled_checks = kinds_of_trouble<schema::ModelCheck>();
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    CAPTURE(seed);
    seeded_random random(seed);
    const auto versions = drawn_versions(random, 12);
    const auto targets = drawn_targets(random, 12, versions);
    validator_options options;
    options.max_audits = static_cast<unsigned>(1 + random.below(6));
    lone_auditor alone(rows_of(versions, targets), options);
    std::vector<event> reveals;
    for (std::size_t i = 0; i < 12; ++i) {
      reveals.push_back(reveal_of(targets[i]));
      reveals.push_back(reveal_of(versions[i]));
    }
    std::size_t noticed = 0, waiting = 0;
    while (alone.votes().size() < reveals.size()) {
      const auto what = random.below(5);
      if (what == 0) {
        const auto count = std::min<std::size_t>(random.below(20), reveals.size() - noticed);
        const auto first = reveals.begin() + static_cast<std::ptrdiff_t>(noticed);
        alone.notice({first, first + static_cast<std::ptrdiff_t>(count)});
        noticed += count;
      } else if (what == 1) {
        alone.pass();
        waiting = 0;
      } else if (alone.open() > 0) {
        const auto index = random.below(alone.open());
        const bool is_trouble = random.below(2) == 0;
        const auto kind = random.below(troubled_scores.size());
        if (is_trouble) ++waiting;
        if (index < alone.scores().size()) {
          alone.answer_score(index, is_trouble
                                        ? troubled_scores[kind]
                                        : subject_of(alone.scores()[index], targets).report());
        } else {
          alone.answer_check(index - alone.scores().size(),
                             is_trouble ? troubled_checks[kind] : check_of(model_verdict::good));
        }
      }
      const auto due = noticed - alone.votes().size() - waiting;
      REQUIRE(alone.open() <= options.max_audits);
      REQUIRE(alone.open() == std::min<std::size_t>(options.max_audits, due));
    }
    for (const auto& target : targets) CHECK(alone.votes().on_submissions.count(target.id) == 1);
    for (const auto& version : versions) CHECK(alone.votes().on_models.count(version.ref) == 1);
  }
}

TEST_CASE("at the start what the member owes is found in the ledger, and nothing else") {
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    CAPTURE(seed);
    seeded_random random(seed);
    const auto member = random.next_id<address>();
    auto versions = drawn_versions(random, 60);
    auto targets = drawn_targets(random, 60, {versions[0], versions[1]});
    /// Votes of others, and maybe the member's own between them; whether it is there.
    const auto draw_votes = [&](auto& votes) {
      votes.resize(random.below(4));
      for (auto& vote : votes) vote.voter = random.next_id<address>();
      const bool is_own = !votes.empty() && random.below(2) == 0;
      if (is_own) votes[random.below(votes.size())].voter = member;
      return is_own;
    };
    std::set<model_version_ref> owed_versions;
    for (auto& version : versions) {
      // The first version is never bad, so that every target has a contender.
      const bool is_first = version.ref == versions[0].ref;
      version.row.status = static_cast<version_status>(random.below(is_first ? 5 : 6));
      version.model.status = static_cast<model_status>(random.below(3));
      const bool is_judged = draw_votes(version.row.votes);
      const bool is_due = version.row.status == version_status::revealed ||
                          version.row.status == version_status::active;
      if (is_due && !is_judged && version.model.status != model_status::inactive)
        owed_versions.insert(version.ref);
    }
    std::set<blob_id> owed_data;
    for (auto& target : targets) {
      if (random.below(2) == 0) target.row.status = static_cast<target_status>(random.below(7));
      const bool is_judged = draw_votes(target.claim.votes);
      if (target.row.status == target_status::revealed && !is_judged)
        owed_data.insert(target.claim.blob);
    }
    validator_options options;
    options.max_audits = 1'000;
    lone_auditor alone(rows_of(versions, targets), options, member);
    CHECK(alone.open() == 0);
    alone.start();
    std::set<model_version_ref> asked_versions;
    for (const auto& open : alone.checks()) asked_versions.insert(subject_of(open, versions).ref);
    std::set<blob_id> asked_data;
    for (const auto& open : alone.scores()) asked_data.insert(subject_of(open, targets).claim.blob);
    CHECK(asked_versions == owed_versions);
    CHECK(asked_data == owed_data);
    CHECK(alone.open() == owed_versions.size() + owed_data.size());  // each of them once
  }
}

TEST_CASE("of all that a block brings only what was revealed is audited") {
  seeded_random random(1);
  const auto versions = drawn_versions(random, 1);
  const auto targets = drawn_targets(random, 1, versions);
  for (auto kind = event_kind{}; kind <= event_kind::target_voided;
       kind = static_cast<event_kind>(static_cast<int>(kind) + 1)) {
    CAPTURE(static_cast<int>(kind));
    lone_auditor alone(rows_of(versions, targets), {});
    auto happened = reveal_of(targets[0]);
    happened.model = versions[0].ref;
    happened.kind = kind;
    alone.notice({happened});
    const bool is_due = kind == event_kind::data_revealed || kind == event_kind::epoch_ended;
    CHECK(alone.scores().size() == (is_due ? 1 : 0));
    CHECK(alone.checks().size() == (kind == event_kind::model_revealed ? 1 : 0));
  }
}

TEST_CASE("what was settled, or is no longer in the ledger, is not audited any more") {
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    CAPTURE(seed);
    seeded_random random(seed);
    auto versions = drawn_versions(random, 10);
    auto targets = drawn_targets(random, 10, {versions[0]});
    validator_options options;
    options.max_audits = 1;
    lone_auditor alone(rows_of(versions, targets), options);
    std::vector<event> reveals;
    for (const auto& target : targets) reveals.push_back(reveal_of(target));
    for (const auto& version : versions) reveals.push_back(reveal_of(version));
    alone.notice(reveals);
    // The first of them is put off, the second is being scored, all others wait for their turn.
    alone.answer_score(0, refused<schema::ScoreReport>(work_refusal::busy));
    REQUIRE(subject_of(alone.scores().at(0), targets).id == targets[1].id);
    std::vector<row_change> changes;
    std::multimap<target_id, audit_verdict> wanted;
    for (std::size_t i = 0; i < targets.size(); ++i) {
      const auto fate = i == 1 ? 0 : random.below(4);
      if (fate == 0) wanted.emplace(targets[i].id, audit_verdict::ok);
      if (fate == 1) {
        targets[i].row.status = static_cast<target_status>(random.below(7));
        if (targets[i].row.status == target_status::revealed)
          targets[i].row.status = target_status::settled;
        changes.push_back({target_key(targets[i].id), encode(targets[i].row)});
      }
      if (fate == 2) changes.push_back({target_key(targets[i].id), std::nullopt});
      if (fate == 3) changes.push_back({submission_key(targets[i].id), std::nullopt});
    }
    std::multimap<model_version_ref, model_verdict> wanted_versions;
    for (std::size_t i = 0; i < versions.size(); ++i) {
      auto& version = versions[i];
      const auto fate = i == 0 ? 0 : random.below(5);
      if (fate == 0) wanted_versions.emplace(version.ref, model_verdict::good);
      if (fate == 1) changes.push_back({model_version_key(version.ref), std::nullopt});
      if (fate == 2) changes.push_back({model_key(version.ref.model), std::nullopt});
      if (fate == 3) {
        version.model.status = model_status::inactive;
        changes.push_back({model_key(version.ref.model), encode(version.model)});
      }
      if (fate == 4) {
        const version_status over[] = {version_status::superseded, version_status::dropped,
                                       version_status::bad};
        version.row.status = over[random.below(3)];
        changes.push_back({model_version_key(version.ref), encode(version.row)});
      }
    }
    alone.commit(changes);
    do {
      while (!alone.scores().empty())
        alone.answer_score(0, subject_of(alone.scores()[0], targets).report());
      while (!alone.checks().empty()) alone.answer_check(0, check_of(model_verdict::good));
      alone.pass();
    } while (alone.open() > 0);
    CHECK(alone.votes().on_submissions == wanted);
    CHECK(alone.votes().on_models == wanted_versions);
  }
}

TEST_CASE("what was settled is forgotten: if it comes again, its attempts are counted anew") {
  seeded_random random(1);
  auto versions = drawn_versions(random, 2);
  auto targets = drawn_targets(random, 1, {versions[0]});
  validator_options options;
  options.audit_attempts = 2;
  lone_auditor alone(rows_of(versions, targets), options);
  const auto& looked_for = versions[1];
  const auto fail_once = [&] {
    alone.notice({reveal_of(targets[0]), reveal_of(looked_for)});
    alone.answer_score(0, refused<schema::ScoreReport>(work_refusal::data_unavailable));
    alone.answer_check(0, refused<schema::ModelCheck>(work_refusal::model_unavailable));
    REQUIRE(alone.open() == 0);
  };
  const auto commit_as = [&](target_status target, version_status version) {
    targets[0].row.status = target;
    versions[1].row.status = version;
    alone.commit({{target_key(targets[0].id), encode(targets[0].row)},
                  {model_version_key(versions[1].ref), encode(versions[1].row)}});
  };
  for (int round = 0; round < 3; ++round) {
    CAPTURE(round);
    fail_once();
    commit_as(target_status::settled, version_status::dropped);
    alone.pass();
    CHECK(alone.open() == 0);
    commit_as(target_status::revealed, version_status::revealed);
  }
  CHECK(alone.votes().size() == 0);  // each time one attempt of two
}

TEST_CASE("what the clock does not let wait is tried again with the next block") {
  seeded_random random(1);
  const auto versions = drawn_versions(random, 1);
  const auto targets = drawn_targets(random, 1, versions);
  for (const auto& trouble : kinds_of_trouble<schema::ScoreReport>()) {
    lone_auditor alone(rows_of(versions, targets), {});
    alone.lose_clock();
    alone.notice({reveal_of(targets[0]), reveal_of(versions[0])});
    for (int block = 0; block < 3; ++block) {
      CAPTURE(block);
      REQUIRE(alone.scores().size() == 1);
      REQUIRE(alone.checks().size() == 1);
      alone.answer_score(0, trouble);
      alone.answer_check(0, std::nullopt);
      CHECK(alone.open() == 0);
      alone.notice({});
    }
    alone.answer_score(0, targets[0].report());
    alone.answer_check(0, check_of(model_verdict::good));
    CHECK(alone.votes().on_submissions.count(targets[0].id) == 1);
    CHECK(alone.votes().on_models.count(versions[0].ref) == 1);
  }
}

TEST_CASE("neither a checker's own trouble nor missing weights are a verdict on a model") {
  const auto answer = [](work_refusal refusal, model_verdict verdict) {
    return message<schema::ModelCheck>::build([&](auto out) {
      if (refusal != work_refusal::none) fill_refusal(out.initRefusal(), refusal);
      out.setVerdict(static_cast<schema::ModelVerdict>(verdict));
    });
  };
  const auto trouble = answer(work_refusal::failed, model_verdict::malformed);
  const auto missing = answer(work_refusal::model_unavailable, model_verdict::malformed);
  const auto good = answer(work_refusal::none, model_verdict::good);
  const auto malformed = answer(work_refusal::none, model_verdict::malformed);
  struct story {
    std::deque<message<schema::ModelCheck>> answers;
    std::optional<model_verdict> vote;
  };
  const story stories[] = {{{good}, model_verdict::good},
                           {{malformed}, model_verdict::malformed},
                           {{trouble, trouble, missing, missing, good}, model_verdict::good},
                           {{missing}, std::nullopt},
                           {{trouble}, std::nullopt}};
  for (const auto& [answers, wanted] : stories) {
    const soma::support::scratch_folder folder;
    const auto script = std::make_shared<std::deque<message<schema::ModelCheck>>>(answers);
    one_validator v(folder.path(), [&](caf::actor_system& system) {
      return system.spawn(scripted_scorer, script);
    });
    soma::wallet::wallet owner(key_of(1), signing::chain_id_of(small_genesis()), 0);
    tx::reveal_model reveal;
    reveal.embedding.assign(byte_architecture.dim, 0.5f);
    tx::commit_model commit;
    commit.commitment = signing::model_commitment(reveal.weights, reveal.key, reveal.embedding,
                                                  reveal.salt, address_of(1));
    commit.manifest = {rules::weights_bytes(byte_architecture) + 100, 1u << 20, blob_id{{1}}, {}};
    commit.stake = {10 * shannons_per_soma};
    const auto committed = owner.sign(commit, epoch_number{2}).sent;
    REQUIRE(v.submit(committed) == validator::offer_refusal{});
    v.pass(65'000);
    reveal.model = signing::model_id_of(signing::id_of(committed));
    REQUIRE(v.submit(owner.sign(reveal, epoch_number{2}).sent) == validator::offer_refusal{});
    v.pass(40'000);
    const auto version = v.ledger->view().model_version({reveal.model, 1});
    REQUIRE(version.has_value());
    CHECK(version->votes.size() == (wanted ? 1 : 0));
    if (wanted && version->votes.size() == 1) CHECK(version->votes[0].verdict == *wanted);
  }
}

}  // namespace soma::test
