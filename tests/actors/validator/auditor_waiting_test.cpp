// What an audit waits for: a call, where a sample of the committee audits, and the blobs it reads.
#include <doctest/doctest.h>

#include "actors/scorer/scorer_worker.hpp"
#include "tests/actors/validator/lone_auditor.hpp"
#include "tests/actors/validator/sampled_target.hpp"

namespace soma::test {

using scorer::refused;
using scorer::work_refusal;

// Protocol §8.3.5.
TEST_CASE("a reveal is scored by a member that its sample calls, and not by any other") {
  alone_with drawn(true);
  drawn.alone.notice({drawn.t.reveal()});
  REQUIRE(drawn.alone.scores().size() == 1);
  drawn.alone.answer_score(0, drawn.t.report());
  CHECK(drawn.alone.votes().on_submissions ==
        std::multimap<target_id, audit_verdict>{{drawn.t.id, audit_verdict::ok}});
  alone_with other(false);
  other.alone.notice({other.t.reveal()});
  other.alone.notice({other.t.vote(audit_verdict::ok)});
  other.alone.notice({});
  CHECK(other.alone.open() == 0);
}

// Protocol §8.3.5.
TEST_CASE("a dissent makes a member score that was not called") {
  alone_with other(false);
  other.alone.notice({other.t.reveal()});
  other.t.claim.votes.push_back({other.t.members[5], {500}, audit_verdict::wrong_loss});
  other.alone.commit({other.t.claim_row()});
  other.alone.notice({other.t.vote(audit_verdict::wrong_loss)});
  CHECK(other.alone.scores().size() == 1);
  other.alone.notice({other.t.vote(audit_verdict::wrong_loss)});
  CHECK(other.alone.scores().size() == 1);  // once
}

// Protocol §8.3.5.
TEST_CASE("the time of the sample makes a member score, and not a block before it") {
  for (const bool after_restart : {false, true}) {
    CAPTURE(after_restart);
    alone_with other(false);
    if (after_restart) {
      other.alone.start();
    } else {
      other.alone.notice({other.t.reveal()});
    }
    other.alone.commit({}, lone_auditor::start_ms + sample_wait_ms - 1);
    other.alone.notice({});
    CHECK(other.alone.open() == 0);
    other.alone.commit({}, lone_auditor::start_ms + sample_wait_ms);
    other.alone.notice({});
    CHECK(other.alone.scores().size() == 1);
  }
}

// Protocol §8.3.5.
TEST_CASE("the end of the epoch makes every member score, also one that had no seat before") {
  for (const bool had_seat : {true, false}) {
    CAPTURE(had_seat);
    sampled_target t(false);
    const auto all = t.members;
    if (!had_seat) t.members.erase(t.members.begin());
    alone_with other(std::move(t));
    other.alone.notice({other.t.reveal()});
    CHECK(other.alone.open() == 0);
    other.alone.commit({committee_of(all), other.t.due_in({1})}, lone_auditor::start_ms + 1, {1});
    other.alone.notice({sampled_target::epoch_end()});
    CHECK(other.alone.scores().size() == 1);
  }
}

// Protocol §8.3.5.
TEST_CASE("who has no seat scores nothing, however long a sample is silent") {
  sampled_target t(false);
  t.members.erase(t.members.begin());
  alone_with other(std::move(t));
  other.alone.start();
  other.alone.notice({other.t.reveal()});
  other.alone.commit({}, lone_auditor::start_ms + 2 * sample_wait_ms);
  other.alone.notice({other.t.vote(audit_verdict::wrong_loss)});
  CHECK(other.alone.open() == 0);
}

// Protocol §8.3.5.
TEST_CASE("what the sample has settled meanwhile is not scored by the others") {
  alone_with other(false);
  other.alone.notice({other.t.reveal()});
  other.t.row.status = target_status::settled;
  other.t.claim.sampled = true;
  other.alone.commit({other.t.target_row_now(), other.t.claim_row()},
                     lone_auditor::start_ms + sample_wait_ms);
  other.alone.notice({});
  CHECK(other.alone.open() == 0);
}

// Protocol §8.3.5.
TEST_CASE("a restart finds what a dissent has made an audit of all") {
  sampled_target t(false);
  t.claim.votes.push_back({t.members[5], {500}, audit_verdict::unavailable});
  alone_with other(std::move(t));
  other.alone.start();
  CHECK(other.alone.scores().size() == 1);
}

// Protocol §8.3.5.
TEST_CASE("a vote on what a sample has decided is sent in the same epoch alone") {
  for (const bool is_late : {false, true}) {
    CAPTURE(is_late);
    alone_with drawn(true);
    drawn.alone.notice({drawn.t.reveal()});
    drawn.t.row.status = target_status::settled;
    drawn.t.claim.sampled = true;
    drawn.alone.commit({drawn.t.target_row_now(), drawn.t.claim_row()}, lone_auditor::start_ms + 1,
                       {is_late ? 1u : 0u});
    REQUIRE(drawn.alone.scores().size() == 1);
    drawn.alone.answer_score(0, drawn.t.report());
    CHECK(drawn.alone.votes().size() == (is_late ? 0 : 1));
  }
}

// ---- an audit waits for what it reads, and what the keeper of blobs says of it decides

namespace {

/// A target whose data was revealed, with one assigned version.
struct revealed_target {
  target_id id{{1}};
  target_row row;
  submission_row claim;
  model_version_ref version{model_id{{2}}, 1};
  model_row model;
  model_version_row weights;
  event reveal;

  revealed_target() {
    row.point = {0.5F, 0.5F};
    row.status = target_status::revealed;
    row.assigned = {version};
    claim.winner = version;
    claim.size_bytes = 900;
    claim.data = data_hash{{3}};
    claim.blob = blob_id{{4}};
    claim.revealed_at = block_height{1};
    claim.revealed_ms = lone_auditor::start_ms;
    model.owner = address{{5}};
    model.status = model_status::active;
    weights.status = version_status::active;
    weights.manifest = {20'000, 1u << 20, blob_id{{6}}, {}};
    weights.embedding = {0.5F, 0.5F};
    reveal.kind = event_kind::data_revealed;
    reveal.target = id;
  }
  [[nodiscard]] std::vector<row_change> rows() const {
    return {{target_key(id), encode(row)},
            {submission_key(id), encode(claim)},
            {model_key(version.model), encode(model)},
            {model_version_key(version), encode(weights)}};
  }
};

message<schema::FetchedBlobs> fetched(const std::vector<blob_id>& missing,
                                      const std::vector<blob_id>& other_size = {},
                                      const std::vector<blob_id>& not_kept = {}) {
  return message<schema::FetchedBlobs>::build([&](auto out) {
    const auto fill = [](auto list, const std::vector<blob_id>& blobs) {
      for (unsigned i = 0; i < blobs.size(); ++i) list.set(i, data_of(blobs[i]));
    };
    fill(out.initMissing(static_cast<unsigned>(missing.size())), missing);
    fill(out.initOtherSize(static_cast<unsigned>(other_size.size())), other_size);
    fill(out.initNotKept(static_cast<unsigned>(not_kept.size())), not_kept);
  });
}

const auto unavailable =
    scorer::refused<schema::ScoreReport>(scorer::work_refusal::data_unavailable);

}  // namespace

TEST_CASE("an audit asks for the data and the weights, and is scored when the answer has come") {
  const revealed_target target;
  lone_auditor alone(target.rows(), {}, {}, {}, true);
  alone.notice({target.reveal});
  REQUIRE(alone.fetches().size() == 1);
  const auto blobs = alone.fetches()[0].asked.root().getBlobs();
  REQUIRE(blobs.size() == 2);
  CHECK(id_or_zero<blob_id>(blobs[0].getBlob()) == target.claim.blob);
  CHECK(blobs[0].getSizeBytes() == 900);
  CHECK(id_or_zero<blob_id>(blobs[1].getBlob()) == target.weights.manifest.root);
  CHECK(blobs[1].getSizeBytes() == 20'000);
  CHECK(alone.open() == 0);
  alone.notice({target.reveal});  // it is in work already
  CHECK(alone.fetches().size() == 1);
  alone.answer_fetch(0, fetched({}));
  CHECK(alone.scores().size() == 1);
  CHECK(alone.votes().size() == 0);
}

TEST_CASE("data that is proven to have another size is voted on at once; weights say nothing") {
  const revealed_target target;
  for (const bool is_of_data : {true, false}) {
    CAPTURE(is_of_data);
    lone_auditor alone(target.rows(), {}, {}, {}, true);
    alone.notice({target.reveal});
    alone.answer_fetch(
        0, fetched({}, {is_of_data ? target.claim.blob : target.weights.manifest.root}));
    CHECK(alone.scores().size() == (is_of_data ? 0 : 1));
    const std::multimap<target_id, audit_verdict> vote{{target.id, audit_verdict::wrong_size}};
    CHECK(alone.votes().on_submissions == (is_of_data ? vote : decltype(vote){}));
  }
}

// By security §9.5. The data is overdue from the first attempt on.
TEST_CASE("data is unavailable after its attempts, and never while the own disk refuses it") {
  const revealed_target target;
  validator::validator_options options;
  options.audit_attempts = 2;
  const genesis_parameters parameters;
  lone_auditor alone(target.rows(), options, {}, parameters, true);
  alone.commit({}, lone_auditor::start_ms + parameters.epoch_ms);
  alone.notice({target.reveal});
  const auto fail = [&](const std::vector<blob_id>& not_kept) {
    REQUIRE(alone.fetches().size() == 1);
    alone.answer_fetch(0, fetched({target.claim.blob}, {}, not_kept));
    REQUIRE(alone.scores().size() == 1);
    alone.answer_score(0, unavailable);
    alone.pass();
  };
  for (int i = 0; i < 5; ++i) fail({target.claim.blob});
  CHECK(alone.votes().size() == 0);
  fail({target.weights.manifest.root});  // that of the weights is another matter
  const std::multimap<target_id, audit_verdict> vote{{target.id, audit_verdict::unavailable}};
  CHECK(alone.votes().on_submissions == vote);
}

}  // namespace soma::test
