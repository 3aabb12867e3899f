#include "actors/rules/settlement.hpp"

#include "actors/rules/agenda.hpp"
#include "actors/rules/claims.hpp"
#include "actors/rules/committee.hpp"
#include "actors/rules/pools.hpp"
#include "actors/rules/votes.hpp"

namespace soma::rules {
namespace {

bool is_ok(audit_verdict v) {
  return v == audit_verdict::ok;
}
bool is_not_ok(audit_verdict v) {
  return v != audit_verdict::ok;
}

bool is_over(target_status status) {
  return status == target_status::settled || status == target_status::slashed ||
         status == target_status::expired;
}

/// Ends a target, protocol §7.11. It is not scored any more, so its row loses its point, which is
/// most of the row and follows from the seed.
void end_target(block_run& run, const target_id& target, target_status status) {
  SOMA_ASSERT(is_over(status), "a target ends settled, slashed or expired");
  run.state.targets.update(target, [&](target_row& t) {
    SOMA_ASSERT(!is_over(t.status), "a target ends once");
    t.status = status;
    t.point.clear();
  });
}

void note_end(block_run& run, event_kind kind, const target_id& target, const submission_row& s,
              shannons amount) {
  auto& e = run.note(kind);
  e.target = target;
  e.model = s.winner;
  e.account = s.submitter;
  e.amount = amount;
}

void return_reward(block_run& run, const target_id& target) {
  run.state.must_move(of(pot::set_aside), of(pot::targets), run.state.targets.get(target).reward);
}

void end_audit(block_run& run, const target_id& target, audit_end end) {
  switch (end) {
    case audit_end::wait:
      return;
    case audit_end::extend:
      run.state.submissions.update(target, [](submission_row& s) { ++s.extensions; });
      note_end(run, event_kind::audit_extended, target, run.state.submissions.get(target),
               run.state.targets.get(target).reward);
      run.events.back().detail = run.state.submissions.get(target).extensions;
      return;
    case audit_end::settle:
      count_audit(run, run.state.submissions.get(target).votes);
      settle(run, target);
      return;
    case audit_end::slash:
      count_audit(run, run.state.submissions.get(target).votes);
      slash(run, target);
      return;
  }
}

}  // namespace

refused vote_on_submission(block_run& run, const address& sender,
                           const tx::vote_on_submission& what) {
  const auto power = run.state.power_of(sender);
  if (power.value == 0) return refusal::voter_not_in_committee;
  const target_row* target = run.state.targets.find(what.target);
  if (target == nullptr) return refusal::target_unknown;
  const submission_row* found = run.state.submissions.find(what.target);
  if (found == nullptr || !found->revealed_at) return refusal::submission_not_revealed;
  if (has_voted(found->votes, sender)) return refusal::already_voted;
  const bool undecided = target->status == target_status::revealed;
  if (!undecided && run.epoch() > found->claimed_in.next()) return refusal::audit_too_old;

  run.state.submissions.update(what.target, [&](submission_row& s) {
    s.votes.push_back({sender, power, what.verdict});
  });
  if (!undecided) count_late_vote(run, sender);
  auto& e = run.note(event_kind::audit_vote_cast);
  e.target = what.target;
  e.account = sender;
  e.detail = static_cast<std::uint64_t>(what.verdict);
  if (undecided)
    end_audit(run, what.target, decide_by_quorum(run.state.submissions.get(what.target)));
  return std::nullopt;
}

audit_end decide_by_quorum(const submission_row& s) {
  if (power_where(s.votes, is_ok) >= quorum_power) return audit_end::settle;
  if (power_where(s.votes, is_not_ok) >= quorum_power) return audit_end::slash;
  return audit_end::wait;
}

audit_end decide_at_epoch_end(const submission_row& s, epoch_number epoch,
                              std::uint32_t max_extensions) {
  if (epoch.value < s.claimed_in.value + 1 + s.extensions) return audit_end::wait;
  const auto for_it = power_where(s.votes, is_ok);
  const auto against = power_where(s.votes, is_not_ok);
  if (for_it + against < third_power) {
    return s.extensions < max_extensions ? audit_end::extend : audit_end::settle;
  }
  return against > for_it ? audit_end::slash : audit_end::settle;
}

void settle(block_run& run, const target_id& target) {
  const submission_row s = run.state.submissions.get(target);
  SOMA_ASSERT(s.revealed_at.has_value(), "what settles was revealed");
  const shannons reward = run.state.targets.get(target).reward;
  const shannons for_model{reward.value / 2};
  const shannons for_submitter{reward.value - for_model.value};
  end_target(run, target, target_status::settled);
  run.state.update_chain([](chain_row& c) {  // protocol §7.9
    ++c.hits;
    ++c.slice_hits;
  });
  note_end(run, event_kind::target_settled, target, s, reward);
  run.state.must_move(of(pot::set_aside), balance_of(s.submitter), for_submitter);
  note_end(run, event_kind::submitter_paid, target, s, for_submitter);
  reward_pool(run, of(pot::set_aside), s.winner.model, for_model);
  note_end(run, event_kind::model_paid, target, s, for_model);
  run.events.back().account = run.state.models.get(s.winner.model).owner;
  run.state.must_move(of(pot::bonds), balance_of(s.submitter), s.bond);
  note_end(run, event_kind::bond_returned, target, s, s.bond);
}

void slash(block_run& run, const target_id& target) {
  const submission_row s = run.state.submissions.get(target);
  SOMA_ASSERT(s.revealed_at.has_value(), "votes slash what was revealed");
  end_target(run, target, target_status::slashed);
  note_end(run, event_kind::target_slashed, target, s, s.bond);
  const auto paid = pay_voters(run, of(pot::bonds), {s.bond.value / 2}, s.votes, is_not_ok, target);
  const shannons burned{s.bond.value - paid.value};
  run.state.must_move(of(pot::bonds), of(pot::burned), burned);
  note_end(run, event_kind::bond_burned, target, s, burned);
  return_reward(run, target);
}

void miss_reveal(block_run& run, const target_id& target) {
  const submission_row s = run.state.submissions.get(target);
  SOMA_ASSERT(!s.revealed_at, "what was revealed has not missed its reveal");
  end_target(run, target, target_status::slashed);
  note_end(run, event_kind::reveal_missed, target, s, s.bond);
  run.state.must_move(of(pot::bonds), of(pot::burned), s.bond);
  note_end(run, event_kind::bond_burned, target, s, s.bond);
  return_reward(run, target);
}

namespace {

void expire(block_run& run, const target_id& target) {
  end_target(run, target, target_status::expired);
  auto& e = run.note(event_kind::target_expired);
  e.target = target;
  e.amount = run.state.targets.get(target).reward;
  return_reward(run, target);
}

}  // namespace

void close_targets(block_run& run) {
  const auto due = take_due<target_id>(run);
  const auto status = [&](const target_id& id) { return run.state.targets.get(id).status; };
  for (const auto& id : due) {
    if (status(id) == target_status::open) expire(run, id);
  }
  for (const auto& id : due) {
    if (status(id) != target_status::revealed) continue;
    end_audit(run, id,
              decide_at_epoch_end(run.state.submissions.get(id), run.epoch(),
                                  run.parameters.max_audit_extensions));
  }
  for (const auto& id : due) {
    if (status(id) != target_status::filled) continue;
    const auto& s = run.state.submissions.get(id);
    // The earliest block that could still hold the reveal is the next one, in the next epoch.
    if (!reveal_window_open(run.parameters, s, run.height.next(), run.epoch().next()))
      miss_reveal(run, id);
  }
  for (const auto& id : due) {
    if (!is_over(status(id))) schedule(run, run.epoch().next(), id);
  }
}

}  // namespace soma::rules
