#include "actors/validator/auditor.hpp"

#include <algorithm>
#include <utility>

#include "actors/blob_keeper/waiting.hpp"
#include "actors/execution/ledger_reader.hpp"
#include "actors/ledger/queries.hpp"
#include "actors/ledger/vote_tally.hpp"
#include "actors/rules/audit.hpp"
#include "actors/rules/derived_ids.hpp"
#include "actors/rules/pools.hpp"
#include "actors/rules/settlement.hpp"
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
  entry.activation_order = row->activation_order;
  entry.weights = row->weights;
  entry.key = row->key;
  entry.manifest = row->manifest;
  entry.embedding = row->embedding;
  return entry;
}

auditor::auditor(validator_actor::pointer self, validator_parts& parts, validator_ports ports,
                 validator_options options, address member, const genesis_parameters& parameters)
    : self_(self),
      parts_(parts),
      ports_(std::move(ports)),
      options_(options),
      member_(member),
      parameters_(parameters) {}

void auditor::start() {
  const execution::ledger_reader reader(*ports_.ledger);
  for (const auto& due : ledger::audits_due(reader, member_, SIZE_MAX)) queue(due.id);
  for (const auto& version : ledger::unjudged_versions(reader, member_, SIZE_MAX)) queue(version);
  begin_work();
}

void auditor::queue(const target_id& target) {
  if (targets_in_work_.insert(target).second) fetch_then_queue(target);
}

void auditor::queue(const model_version_ref& version) {
  if (versions_in_work_.insert(version).second) fetch_then_queue(version);
}

void auditor::done_with(const target_id& target) {
  attempts_.erase(target);
  targets_in_work_.erase(target);
}

void auditor::done_with(const model_version_ref& version) {
  versions_in_work_.erase(version);
}

void auditor::notice(std::span<const event> events) {
  for (const auto& put_back : std::exchange(for_next_block_, {})) put_back();
  for (const auto& item : events) {
    // An audit that is put off is also one for members that had no seat before.
    if (item.kind == event_kind::data_revealed || item.kind == event_kind::audit_extended)
      queue(item.target);
    if (item.kind == event_kind::model_revealed) queue(item.model);
    if (item.kind == event_kind::epoch_ended) {
      const execution::ledger_reader reader(*ports_.ledger);
      for (const auto& version : ledger::versions_on_trial(reader, member_)) queue(version);
    }
  }
  begin_work();
}

/// The audit reads the data and the weights of all assigned versions.
void auditor::fetch_then_queue(const target_id& target) {
  const auto view = ports_.ledger->view();
  const auto row = view.target(target);
  const auto claim = view.submission(target);
  std::vector<blob_keeper::awaited_blob> blobs;
  if (row && claim) {
    blobs.push_back({claim->blob, claim->size_bytes});
    for (const auto& version : row->assigned) {
      if (const auto entry = entry_in_ledger(view, version)) {
        blobs.push_back({entry->manifest.root, entry->manifest.size_bytes});
      }
    }
  }
  const bool is_waiting = blob_keeper::wait_for_blobs(
      self_, ports_.blobs, blobs, options_.fetch_ms,
      [me = shared_from_this(), target](const blob_keeper::wait_findings& found) {
        const auto claimed = me->ports_.ledger->view().submission(target);
        const auto data = claimed ? claimed->blob : blob_id{};
        if (std::ranges::find(found.other_size, data) != found.other_size.end()) {
          return me->vote_on(target, audit_verdict::wrong_size);
        }
        // The data is there. That this home cannot keep it says nothing about the submission.
        if (std::ranges::find(found.no_room, data) != found.no_room.end()) {
          return me->again_later([me, target] { me->fetch_then_queue(target); });
        }
        me->due_.push_back(target);
        me->begin_work();
      });
  if (!is_waiting) due_.push_back(target);
}

void auditor::fetch_then_queue(const model_version_ref& version) {
  const auto entry = entry_in_ledger(ports_.ledger->view(), version);
  std::vector<blob_keeper::awaited_blob> blobs;
  if (entry) blobs.push_back({entry->manifest.root, entry->manifest.size_bytes});
  const bool is_waiting = blob_keeper::wait_for_blobs(
      self_, ports_.blobs, blobs, options_.fetch_ms,
      [me = shared_from_this(), version](const blob_keeper::wait_findings&) {
        me->due_versions_.push_back(version);
        me->begin_work();
      });
  if (!is_waiting) due_versions_.push_back(version);
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
    if (row && claim && row->status == target_status::revealed &&
        !ledger::has_voted(claim->votes, member_)) {
      judge_submission(target, *row, *claim);
    } else {
      done_with(target);
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
    // A target names versions that were active, and the ledger never removes such versions. One
    // that was judged bad since then loses whatever its weights are, so nobody needs them.
    const auto known = view.model_version(version);
    if (!known || known->status == version_status::bad) continue;
    if (auto entry = entry_in_ledger(view, version)) entries.push_back(std::move(*entry));
  }
  // Without a contender there is no winner, so any claim names a wrong one.
  if (entries.empty()) return vote_on(target, audit_verdict::wrong_winner);
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
              me->not_scored(target, claim, report.root());
            } else {
              me->take_report(target, claim, models, report.root());
            }
            me->begin_work();
          },
          [me = shared_from_this(), target](caf::error&) {
            --me->running_;
            // A failure of the scorer says nothing about the submission, so it is tried again.
            me->again_later([me, target] { me->fetch_then_queue(target); });
            me->begin_work();
          });
}

void auditor::take_report(const target_id& target, const submission_row& claim,
                          const message<schema::Models>& models,
                          schema::ScoreReport::Reader report) {
  // The store may hold other data under this name than the submitter claimed.
  if (id_or_zero<data_hash>(report.getData()) != claim.data) return miss_data(target, claim);
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

void auditor::not_scored(const target_id& target, const submission_row& claim,
                         schema::ScoreReport::Reader report) {
  switch (scorer::work_refusal_of(report.getRefusal())) {
    case scorer::work_refusal::wrong_size:
      return vote_on(target, audit_verdict::wrong_size);
    case scorer::work_refusal::data_unavailable:
      return miss_data(target, claim);
    default:
      // This machine has failed, or it does not have a model's weights. If that lasts, the member
      // is silent on this submission.
      break;
  }
  again_later([me = shared_from_this(), target] { me->fetch_then_queue(target); });
}

void auditor::miss_data(const target_id& target, const submission_row& claim) {
  auto& attempts = attempts_[target];
  attempts = std::min(attempts + 1, options_.audit_attempts);
  if (attempts >= options_.audit_attempts && is_overdue(claim)) {
    return vote_on(target, audit_verdict::unavailable);
  }
  again_later([me = shared_from_this(), target] { me->fetch_then_queue(target); });
}

bool auditor::is_overdue(const submission_row& claim) const {
  const auto chain = ports_.ledger->view().chain();
  return chain && rules::data_is_overdue(parameters_, claim, chain->time_ms);
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
         (row->status == version_status::revealed || row->status == version_status::active) &&
         !ledger::has_voted(row->votes, member_);
}

void auditor::judge_version(const model_version_ref& version) {
  // Since it was queued, a later version or a vote may have taken its place.
  const auto entry =
      is_wanted(version) ? entry_in_ledger(ports_.ledger->view(), version) : std::nullopt;
  if (!entry) return done_with(version);
  const auto& wanted = parameters_.architecture;
  ++running_;
  self_
      ->request(ports_.scorer, caf::infinite, message<schema::CheckModel>::build([&](auto out) {
                  fill(out.initModel(), *entry);
                  out.setLayers(wanted.layers);
                  out.setDim(wanted.dim);
                  out.setHeads(wanted.heads);
                  out.setFfn(wanted.ffn);
                  out.setMaxSeq(wanted.max_seq);
                }))
      .then(
          [me = shared_from_this(), version](const message<schema::ModelCheck>& check) {
            --me->running_;
            me->take_check(version, check.root());
            me->begin_work();
          },
          [me = shared_from_this(), version](caf::error&) {
            --me->running_;
            me->again_later([me, version] { me->fetch_then_queue(version); });
            me->begin_work();
          });
}

void auditor::take_check(const model_version_ref& version, schema::ModelCheck::Reader check) {
  // A check that was not made says nothing about the model, also when the weights were not there.
  if (is_refused(check.getRefusal())) {
    return again_later([me = shared_from_this(), version] { me->fetch_then_queue(version); });
  }
  done_with(version);
  // Meanwhile an earlier vote of this member may have come into a block; a second is charged.
  if (!is_wanted(version)) return;
  tx::vote_on_model kind;
  kind.version = version;
  kind.verdict = static_cast<model_verdict>(check.getVerdict());
  parts_.vote(kind);
}

void auditor::vote_on(const target_id& target, audit_verdict verdict) {
  done_with(target);
  const auto claim = ports_.ledger->view().submission(target);
  if (claim && ledger::has_voted(claim->votes, member_)) return;
  tx::vote_on_submission kind;
  kind.target = target;
  kind.verdict = verdict;
  parts_.vote(kind);
}

}  // namespace soma::validator
