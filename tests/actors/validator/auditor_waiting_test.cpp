// An audit waits for what it reads, and what the keeper of blobs says of it decides (security
// §9.3).
#include <doctest/doctest.h>

#include "actors/scorer/scorer_worker.hpp"
#include "actors/validator/auditor.hpp"
#include "messages/crypto/random.hpp"
#include "tests/actors/validator/lone_auditor.hpp"

namespace soma::test {
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
