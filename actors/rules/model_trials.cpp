// The judgement of versions, protocol §6.5 to §6.8: a version is active only when a quorum of the
// present committee has found it good. Nobody is paid for a verdict.
#include "actors/ledger/vote_tally.hpp"
#include "actors/rules/agenda.hpp"
#include "actors/rules/arithmetic.hpp"
#include "actors/rules/models.hpp"
#include "actors/rules/pools.hpp"

namespace soma::rules {
namespace {

using ledger::has_voted;

bool is_good(model_verdict verdict) {
  return verdict == model_verdict::good;
}
bool is_bad(model_verdict verdict) {
  return verdict != model_verdict::good;
}

template <class Predicate>
voting_power power_now(const block_run& run, const model_version_ref& which, Predicate wanted) {
  return ledger::power_where(run.state.committee(), run.state.versions.get(which).votes, wanted);
}

/// Half of what is taken burns. The other half is added to the pay of all validators that take part
/// in this epoch, whatever they said of the model.
void slash_bad_version(block_run& run, const model_version_ref& which) {
  const model_row row = run.state.models.get(which.model);
  SOMA_ASSERT(row.status != model_status::inactive, "an inactive model is not judged");
  auto slashed = slash_pool(run, which.model, run.parameters.bad_model_slash_bps, {});
  const shannons taken = slashed.sum();
  const shannons for_all{taken.value / 2};
  move_slashed(run, which.model, slashed, of(pot::validator_pay), for_all);
  move_slashed(run, which.model, slashed, of(pot::burned), slashed.sum());
  leave_registry(run, which.model, row);
  run.state.versions.update(which, [](model_version_row& v) { v.status = version_status::bad; });
  run.state.models.update(which.model, [](model_row& m) { m.status = model_status::inactive; });
  auto& e = run.note(event_kind::model_slashed);
  e.model = which;
  e.account = row.owner;
  e.amount = taken;
  e.detail = for_all.value;
}

void activate(block_run& run, const model_id& model) {
  const model_row before = run.state.models.get(model);
  const auto which = latest_of(model, before);
  SOMA_ASSERT(run.state.versions.get(which).status == version_status::revealed,
              "a version becomes active after its reveal");
  leave_registry(run, model, before);
  if (before.active_version != 0) {
    run.state.versions.update({model, before.active_version},
                              [](auto& v) { v.status = version_status::superseded; });
  }
  run.state.update_chain([](chain_row& c) { ++c.versions_activated; });
  run.state.versions.update(which, [&](model_version_row& v) {
    SOMA_ASSERT(v.activation_order == 0, "a version becomes active once");
    v.status = version_status::active;
    v.activation_order = run.state.chain().versions_activated;
  });
  run.state.models.update(model, [&](model_row& row) {
    row.status = model_status::active;
    row.active_version = which.version;
  });
  run.registry.push_back(
      {which, true, run.state.versions.get(which).embedding, counted_stake(before.pool)});
  auto& e = run.note(event_kind::model_activated);
  e.model = which;
  e.account = before.owner;
}

}  // namespace

void give_up(block_run& run, const model_id& model, const address& published_by) {
  const model_row row = run.state.models.get(model);
  const auto which = latest_of(model, row);
  run.state.versions.update(which,
                            [](model_version_row& v) { v.status = version_status::dropped; });
  if (row.active_version == 0) {
    run.state.models.update(model, [](model_row& m) { m.status = model_status::inactive; });
  }
  auto& e = run.note(event_kind::model_not_accepted);
  e.model = which;
  e.account = row.owner;
  e.detail = power_now(run, which, is_good).value;
  e.other = published_by;
}

refused check_vote(const block_run& run, const address& sender, const tx::vote_on_model& what) {
  if (run.state.power_of(sender).value == 0) return refusal::voter_not_in_committee;
  const model_row* model = run.state.models.find(what.version.model);
  if (model == nullptr) return refusal::model_unknown;
  const model_version_row* version = run.state.versions.find(what.version);
  if (version == nullptr) return refusal::version_unknown;
  const bool on_trial =
      version->status == version_status::revealed || version->status == version_status::active;
  if (!on_trial || model->status == model_status::inactive) return refusal::version_not_on_trial;
  if (has_voted(version->votes, sender)) return refusal::already_voted;
  if (version->votes.size() >= max_cast_votes) return refusal::votes_full;
  return std::nullopt;
}

refused vote_on_model(block_run& run, const address& sender, const tx::vote_on_model& what) {
  if (const auto no = check_vote(run, sender, what)) return no;
  run.state.versions.update(what.version, [&](model_version_row& v) {
    v.votes.push_back({sender, run.state.power_of(sender), what.verdict});
  });
  auto& e = run.note(event_kind::model_vote_cast);
  e.model = what.version;
  e.account = sender;
  e.detail = static_cast<std::uint64_t>(what.verdict);
  if (power_now(run, what.version, is_bad) >= quorum_power) slash_bad_version(run, what.version);
  return std::nullopt;
}

void end_trial(block_run& run, const model_id& model) {
  const model_row row = run.state.models.get(model);
  const auto which = latest_of(model, row);
  if (power_now(run, which, is_good) >= quorum_power) return activate(run, model);
  const auto last = run.state.versions.get(which).committed_in.value + trial_epochs;
  if (run.epoch().value >= last) return give_up(run, model, {});
  schedule(run, run.epoch().next(), model);
}

}  // namespace soma::rules
