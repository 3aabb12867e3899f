// An auditor in a committee that is so large that samples audit, with one revealed submission.
// Protocol §8.3.5.
#pragma once

#include <bit>

#include "actors/rules/audit.hpp"
#include "tests/actors/validator/lone_auditor.hpp"

namespace soma::test {

inline constexpr std::uint64_t sample_wait_ms = 5'000;  // a 24th of an epoch

/// One submission, twenty members of equal power of which one audits, and a sample that calls it or
/// does not.
struct sampled_target {
  crypto::seeded_random random{7};
  target_id id = random.next_id<target_id>();
  address member = random.next_id<address>();
  std::vector<address> members{member};
  model_version_ref version{random.next_id<model_id>(), 1};
  target_row row;
  submission_row claim;

  explicit sampled_target(bool is_called) {
    while (members.size() < 20) members.push_back(random.next_id<address>());
    row.point = {1.0f, 2.0f};
    row.status = target_status::revealed;
    row.assigned = {version};
    claim.winner = version;
    claim.loss_bits = std::bit_cast<std::uint32_t>(2.0f);
    claim.size_bytes = 100;
    claim.data = random.next_id<data_hash>();
    claim.blob = random.next_id<blob_id>();
    claim.revealed_at = block_height{1};
    claim.revealed_ms = lone_auditor::start_ms;
    const auto committee = decode<committee_row>(*committee_of(members).value).value();
    chain_row chain;
    chain.time_ms = claim.revealed_ms;
    do {
      claim.audit_seed = random.next_id<hash256>();
    } while (rules::calls_all(parameters(), claim, committee, chain) ||
             rules::is_called(parameters(), claim, committee, chain, member) != is_called);
  }
  [[nodiscard]] static genesis_parameters parameters() {
    genesis_parameters p;
    p.epoch_ms = 24 * sample_wait_ms;
    return p;
  }
  [[nodiscard]] row_change claim_row() const { return {submission_key(id), encode(claim)}; }
  [[nodiscard]] row_change target_row_now() const { return {target_key(id), encode(row)}; }
  [[nodiscard]] row_change due_in(epoch_number epoch) const {
    return {agenda_key({epoch, id}), encode(agenda_row{})};
  }
  [[nodiscard]] std::vector<row_change> rows() const {
    model_row model;
    model.status = model_status::active;
    model_version_row weights;
    weights.status = version_status::active;
    weights.embedding = {1.0f, 1.0f};
    weights.manifest.size_bytes = 10;
    weights.votes = {{member, {500}, model_verdict::good}};
    return {target_row_now(),
            claim_row(),
            due_in({}),
            committee_of(members),
            {model_key(version.model), encode(model)},
            {model_version_key(version), encode(weights)}};
  }
  [[nodiscard]] event reveal() const { return about(event_kind::data_revealed); }
  [[nodiscard]] event vote(audit_verdict verdict) const {
    auto happened = about(event_kind::audit_vote_cast);
    happened.detail = static_cast<std::uint64_t>(verdict);
    return happened;
  }
  [[nodiscard]] static event epoch_end() {
    return with<event>([](event& happened) { happened.kind = event_kind::epoch_ended; });
  }
  [[nodiscard]] message<schema::ScoreReport> report() const {
    return message<schema::ScoreReport>::build([&](auto out) {
      auto results = out.initResults(1);
      fill(results[0].initRef(), version);
      results[0].setValid(true);
      results[0].setLoss(2.0f);
      out.setData(data_of(claim.data));
    });
  }

 private:
  [[nodiscard]] event about(event_kind kind) const {
    return with<event>([&](event& happened) {
      happened.kind = kind;
      happened.target = id;
    });
  }
};

struct alone_with {
  sampled_target t;
  lone_auditor alone{t.rows(), {}, t.member, sampled_target::parameters()};

  explicit alone_with(bool is_called) : t(is_called) {}
  explicit alone_with(sampled_target made) : t(std::move(made)) {}
};

}  // namespace soma::test
