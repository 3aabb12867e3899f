// The auditing side of a validator: takes what was revealed, has it scored, and says how to vote. A
// bounded number at once; what cannot be fetched is tried again before it is called unavailable.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <span>

#include "actors/validator/validator.hpp"
#include "actors/validator/validator_parts.hpp"
#include "messages/codec/model_entry.hpp"
#include "messages/values/blocks.hpp"
#include "messages/values/rows.hpp"

namespace soma::validator {

class auditor : public std::enable_shared_from_this<auditor> {
 public:
  /// `parts` outlives the actor's work.
  auditor(validator_actor::pointer self, validator_parts& parts, validator_ports ports,
          validator_options options, address member, const model_architecture& architecture);

  /// Finds what this member owes in the whole ledger. Once, when it starts.
  void start();
  /// Takes up what a block brought, and begins as much as there is room for.
  void notice(std::span<const event> events);

 private:
  void begin_work();
  void again_later(std::function<void()> put_back);
  void take_check(const model_version_ref& version, schema::ModelCheck::Reader check);
  void judge_submission(const target_id& target, const target_row& row,
                        const submission_row& claim);
  void take_report(const target_id& target, const submission_row& claim,
                   const message<schema::Models>& models, schema::ScoreReport::Reader report);
  void not_scored(const target_id& target, schema::ScoreReport::Reader report);
  void judge_version(const model_version_ref& version);
  void vote_on(const target_id& target, audit_verdict verdict);

  validator_actor::pointer self_;
  validator_parts& parts_;
  validator_ports ports_;
  validator_options options_;
  address member_;
  model_architecture architecture_;
  std::deque<target_id> due_;  // revealed, to be judged
  std::deque<model_version_ref> due_versions_;
  std::map<model_version_ref, unsigned> missing_weights_;  // fetches that found nothing
  std::map<target_id, unsigned> attempts_;                 // of data that could not be fetched
  unsigned running_ = 0;
};

/// An entry for a version as the ledger has it; nullopt when it is not known or not revealed.
[[nodiscard]] std::optional<model_entry> entry_in_ledger(const tables::ledger_view& ledger,
                                                         const model_version_ref& version);

}  // namespace soma::validator
