#include "actors/validator/auditor.hpp"

#include <utility>

#include "actors/execution/ledger_reader.hpp"
#include "actors/ledger/queries.hpp"
#include "actors/rules/audit.hpp"
#include "actors/rules/derived_ids.hpp"
#include "actors/rules/pools.hpp"
#include "actors/scorer/scorer_worker.hpp"
#include "messages/codec/model_entry.hpp"
#include "messages/wire/refusals.hpp"

namespace soma::validator {

std::optional<model_entry> entry_in_ledger(const tables::ledger_view& ledger,
                                           const model_version_ref& version) {
  const auto model = ledger.model(version.model);
  const auto row = ledger.model_version(version);
  if (!model || !row || row->embedding.empty()) return std::nullopt;
  model_entry entry;
  entry.ref = version;
  entry.owner = model->owner;
  entry.stake = rules::counted_stake(model->pool);
  entry.activation_order = model->activation_order;
  entry.weights = row->weights;
  entry.key = row->key;
  entry.manifest = row->manifest;
  entry.embedding = row->embedding;
  return entry;
}

auditor::auditor(validator_actor::pointer self, validator_parts& parts, validator_ports ports,
                 validator_options options, address member, const model_architecture& architecture)
    : self_(self),
      parts_(parts),
      ports_(std::move(ports)),
      options_(options),
      member_(member),
      architecture_(architecture) {}

void auditor::start() {
  const execution::ledger_reader reader(*ports_.ledger);
  for (auto& due : ledger::audits_due(reader, member_, SIZE_MAX)) due_.push_back(due.id);
  for (auto& version : ledger::unjudged_versions(reader, member_, SIZE_MAX)) {
    due_versions_.push_back(version);
  }
  begin_work();
}

void auditor::notice(std::span<const event> events) {
  for (const auto& put_back : std::exchange(for_next_block_, {})) put_back();
  for (const auto& item : events) {
    if (item.kind == event_kind::data_revealed) due_.push_back(item.target);
    if (item.kind == event_kind::model_revealed) due_versions_.push_back(item.model);
  }
  begin_work();
}

void auditor::begin_work() {
  SOMA_ASSERT(running_ <= options_.max_audits, "a bounded number of audits at once");
  while (running_ < options_.max_audits && !due_.empty()) {
    const auto target = due_.front();
    due_.pop_front();
    const auto view = ports_.ledger->view();
    const auto row = view.target(target);
    const auto claim = view.submission(target);
    // Since it was queued, the votes of other members or the end of an epoch may have settled it.
    if (row && claim && row->status == target_status::revealed) {
      judge_submission(target, *row, *claim);
    } else {
      attempts_.erase(target);
    }
  }
  while (running_ < options_.max_audits && !due_versions_.empty()) {
    const auto version = due_versions_.front();
    due_versions_.pop_front();
    judge_version(version);
  }
}

void auditor::judge_submission(const target_id& target, const target_row& row,
                               const submission_row& claim) {
  const auto view = ports_.ledger->view();
  std::vector<model_entry> entries;
  for (const auto& version : row.assigned) {
    // A target names versions that were active, and the ledger never removes such versions.
    if (auto entry = entry_in_ledger(view, version)) entries.push_back(std::move(*entry));
  }
  auto models = message<schema::Models>::build([&](auto out) {
    auto list = out.initEntries(static_cast<unsigned>(entries.size()));
    for (unsigned i = 0; i < entries.size(); ++i) fill(list[i], entries[i]);
  });
  ++running_;
  self_
      ->request(ports_.scorer, caf::infinite, message<schema::ScoreRequest>::build([&](auto out) {
                  out.setModels(models.root().getEntries());
                  out.setBlob(data_of(claim.blob));
                  out.setSizeBytes(claim.size_bytes);
                  out.setSeed(rules::scoring_seed_of(target));
                  out.setWinnerOnly(true);
                  fill(out.initPoint(static_cast<unsigned>(row.point.size())), row.point);
                }))
      .then(
          [me = shared_from_this(), target, claim,
           models](const message<schema::ScoreReport>& report) {
            --me->running_;
            if (is_refused(report.root().getRefusal())) {
              me->not_scored(target, report.root());
            } else {
              me->take_report(target, claim, models, report.root());
            }
            me->begin_work();
          },
          [me = shared_from_this(), target](caf::error&) {
            --me->running_;
            // A failure of the scorer says nothing about the submission, so it is tried again.
            me->again_later([me, target] { me->due_.push_back(target); });
            me->begin_work();
          });
}

void auditor::take_report(const target_id& target, const submission_row& claim,
                          const message<schema::Models>& models,
                          schema::ScoreReport::Reader report) {
  attempts_.erase(target);
  if (id_or_zero<data_hash>(report.getData()) != claim.data) {
    // The store holds other data under this name than the submitter claimed.
    return vote_on(target, audit_verdict::unavailable);
  }
  std::vector<rules::audited_score> scores;
  for (unsigned i = 0; i < report.getResults().size(); ++i) {
    const auto result = report.getResults()[i];
    rules::audited_score score;
    score.result.model = ref_of(result.getRef());
    score.result.activation_order = models.root().getEntries()[i].getActivationOrder();
    score.result.loss_bits = std::bit_cast<std::uint32_t>(result.getLoss());
    score.result.valid = result.getValid();  // false for a model whose scoring was given up
    // Only the winner's distance counts, and the report holds only that distance.
    score.distance_q30 = i == report.getWinner() ? report.getDistanceQ30() : 0;
    scores.push_back(score);
  }
  vote_on(target, rules::judge(claim, {true, claim.size_bytes}, scores));
}

void auditor::not_scored(const target_id& target, schema::ScoreReport::Reader report) {
  switch (scorer::work_refusal_of(report.getRefusal())) {
    case scorer::work_refusal::wrong_size:
      attempts_.erase(target);
      return vote_on(target, audit_verdict::wrong_size);
    case scorer::work_refusal::data_unavailable:
      if (++attempts_[target] >= options_.audit_attempts) {
        attempts_.erase(target);
        return vote_on(target, audit_verdict::unavailable);
      }
      break;
    default:
      // This machine or a model has failed. If that lasts, the end of the epoch settles the target.
      break;
  }
  again_later([me = shared_from_this(), target] { me->due_.push_back(target); });
}

void auditor::again_later(const std::function<void()>& put_back) {
  self_
      ->request(ports_.clock, caf::infinite,
                message<schema::Wait>::build([&](auto out) { out.setMs(options_.block_ms * 2); }))
      .then(
          [me = shared_from_this(), put_back](const message<schema::Time>&) {
            put_back();
            me->begin_work();
          },
          [me = shared_from_this(), put_back](caf::error&) {
            // The clock does not take everything that wants to wait. Then the next block is the
            // sign that time has passed.
            me->for_next_block_.push_back(put_back);
          });
}

bool auditor::is_wanted(const model_version_ref& version) const {
  const auto view = ports_.ledger->view();
  const auto model = view.model(version.model);
  const auto row = view.model_version(version);
  return model && model->status != model_status::inactive && row &&
         (row->status == version_status::revealed || row->status == version_status::active);
}

void auditor::judge_version(const model_version_ref& version) {
  // Since it was queued, a later version or a vote may have taken its place.
  const auto entry =
      is_wanted(version) ? entry_in_ledger(ports_.ledger->view(), version) : std::nullopt;
  if (!entry) {
    missing_weights_.erase(version);
    return;
  }
  ++running_;
  self_
      ->request(ports_.scorer, caf::infinite, message<schema::CheckModel>::build([&](auto out) {
                  fill(out.initModel(), *entry);
                  out.setLayers(architecture_.layers);
                  out.setDim(architecture_.dim);
                  out.setHeads(architecture_.heads);
                  out.setFfn(architecture_.ffn);
                  out.setMaxSeq(architecture_.max_seq);
                }))
      .then(
          [me = shared_from_this(), version](const message<schema::ModelCheck>& check) {
            --me->running_;
            me->take_check(version, check.root());
            me->begin_work();
          },
          [me = shared_from_this(), version](caf::error&) {
            --me->running_;
            me->again_later([me, version] { me->due_versions_.push_back(version); });
            me->begin_work();
          });
}

void auditor::take_check(const model_version_ref& version, schema::ModelCheck::Reader check) {
  const auto verdict = static_cast<model_verdict>(check.getVerdict());
  const bool is_missing = !is_refused(check.getRefusal()) &&
                          verdict == model_verdict::unavailable &&
                          ++missing_weights_[version] < options_.audit_attempts;
  if (is_refused(check.getRefusal()) || is_missing) {
    return again_later(
        [me = shared_from_this(), version] { me->due_versions_.push_back(version); });
  }
  missing_weights_.erase(version);
  tx::vote_on_model kind;
  kind.version = version;
  kind.verdict = verdict;
  parts_.vote(kind);
}

void auditor::vote_on(const target_id& target, audit_verdict verdict) {
  tx::vote_on_submission kind;
  kind.target = target;
  kind.verdict = verdict;
  parts_.vote(kind);
}

}  // namespace soma::validator
