// The auditing part of a validator: it has every revealed submission scored and every revealed
// model version checked, and votes on them. It runs at most max_audits at once. Each audit first
// waits until what it reads is in the home's blob store (security §9.3), and takes no place among
// those that run meanwhile. Data that cannot be fetched is tried audit_attempts times, and until it
// is overdue, before the vote calls it unavailable. Data that a peer has and that this home has no
// room for is tried as long as its audit lasts: the member is silent then. Weights that cannot be
// fetched are tried as long as the ledger has use for a verdict: not having them says nothing about
// them.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <vector>

#include "actors/validator/validator.hpp"
#include "actors/validator/validator_parts.hpp"
#include "messages/codec/model_entry.hpp"
#include "messages/values/blocks.hpp"
#include "messages/values/rows.hpp"

namespace soma::validator {

class auditor : public std::enable_shared_from_this<auditor> {
 public:
  /// `parts` must outlive every answer that the auditor waits for.
  auditor(validator_actor::pointer self, validator_parts& parts, validator_ports ports,
          validator_options options, address member, const genesis_parameters& parameters);

  /// Finds every audit in the ledger on which this member still has to vote. Called once, at start.
  void start();
  /// Adds what a block revealed, what it put off, and what a new epoch's committee has to judge,
  /// and begins as many audits as the limit allows.
  void notice(std::span<const event> events);

 private:
  /// Takes on what is not in work yet.
  void queue(const target_id& target);
  void queue(const model_version_ref& version);
  /// Puts what is in work into the queue as soon as its blobs are here.
  void fetch_then_queue(const target_id& target);
  void fetch_then_queue(const model_version_ref& version);
  /// Takes a target or version off the work. It may be queued again.
  void done_with(const target_id& target);
  void done_with(const model_version_ref& version);
  void begin_work();
  /// Calls `put_back` after two block times, or with the next block if the clock refuses.
  void again_later(const std::function<void()>& put_back);
  /// True while the ledger still has use for this member's verdict on the version: it is revealed
  /// or active, its model is not inactive, and the member has not voted.
  [[nodiscard]] bool is_wanted(const model_version_ref& version) const;
  [[nodiscard]] bool is_overdue(const submission_row& claim) const;
  void take_check(const model_version_ref& version, schema::ModelCheck::Reader check);
  void judge_submission(const target_id& target, const target_row& row,
                        const submission_row& claim);
  void take_report(const target_id& target, const submission_row& claim,
                   const message<schema::Models>& models, schema::ScoreReport::Reader report);
  void not_scored(const target_id& target, const submission_row& claim,
                  schema::ScoreReport::Reader report);
  /// The data was not found once more, or what was found is other data.
  void miss_data(const target_id& target, const submission_row& claim);
  void judge_version(const model_version_ref& version);
  void vote_on(const target_id& target, audit_verdict verdict);

  validator_actor::pointer self_;
  validator_parts& parts_;
  validator_ports ports_;
  validator_options options_;
  address member_;
  genesis_parameters parameters_;
  std::deque<target_id> due_;  // targets whose data is revealed and not yet judged
  std::deque<model_version_ref> due_versions_;
  // All that is queued, running or put off, so that nothing is judged twice at once.
  std::set<target_id> targets_in_work_;
  std::set<model_version_ref> versions_in_work_;
  // How often the data was not found. Entries of what is settled are erased.
  std::map<target_id, unsigned> attempts_;
  std::vector<std::function<void()>> for_next_block_;
  unsigned running_ = 0;
};

/// Builds the registry entry of a version from the ledger. nullopt when the ledger does not know
/// the version or the version is not revealed yet.
[[nodiscard]] std::optional<model_entry> entry_in_ledger(const tables::ledger_view& ledger,
                                                         const model_version_ref& version);

}  // namespace soma::validator
