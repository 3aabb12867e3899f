#include "actors/rules/settlement.hpp"

#include "actors/ledger/vote_tally.hpp"
#include "actors/rules/agenda.hpp"
#include "actors/rules/arithmetic.hpp"
#include "actors/rules/audit.hpp"
#include "actors/rules/claims.hpp"
#include "actors/rules/committee.hpp"
#include "actors/rules/pools.hpp"

namespace soma::rules {
namespace {

using ledger::has_voted;
using ledger::power_where;

bool is_ok(audit_verdict v) {
  return v == audit_verdict::ok;
}
bool is_not_ok(audit_verdict v) {
  return v != audit_verdict::ok;
}
bool is_any(audit_verdict) {
  return true;
}
/// A verdict that anybody with the data can check again.
bool is_wrong(audit_verdict v) {
  return is_not_ok(v) && v != audit_verdict::unavailable;
}

/// Whether a vote that comes after the decision says what was decided. A claim whose audit nobody
/// decided is void at an end from which on no vote on it is accepted.
bool agrees_with(target_status decided, audit_verdict v) {
  return decided == target_status::settled   ? is_ok(v)
         : decided == target_status::slashed ? is_wrong(v)
                                             : is_not_ok(v);
}

bool is_over(target_status status) {
  return status != target_status::open && status != target_status::filled &&
         status != target_status::revealed;
}

/// Ends a target, protocol §7.11. It is not scored any more, so its row loses its point, which is
/// most of the row and follows from the seed.
void end_target(block_run& run, const target_id& target, target_status status) {
  SOMA_ASSERT(is_over(status), "a target ends settled, slashed, expired or void");
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

/// Whether the members that were called owed a vote on what is decided now. Protocol §5.7.1.
bool is_owed(const block_run& run, const submission_row& s, audit_end end) {
  const auto& chain = run.state.chain();
  if (end == audit_end::give_back) {
    return power_where(run.state.committee(), s.votes, is_any) >= third_power;
  }
  const auto& p = run.parameters;
  return chain.time_ms - chain.epoch_start_ms < p.epoch_ms - p.epoch_ms / short_wait_part;
}

/// Notes whom a decided audit had called, and that each of them owed a vote. Of the votes those
/// count that agree with the decision: a member that says anything to be paid for taking part
/// should not be. Protocol §5.7.
void count_decided(block_run& run, const target_id& target, audit_end end,
                   bool (*agrees)(audit_verdict)) {
  run.state.submissions.update(target, [&](submission_row& s) {
    s.sampled = !calls_all(run.parameters, s, run.state.committee(), run.state.chain());
  });
  auto decided = run.state.submissions.get(target);
  const bool owed = is_owed(run, decided, end);
  std::erase_if(decided.votes, [&](const auto& vote) { return !agrees(vote.verdict); });
  count_audit(run, decided, owed);
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
      count_decided(run, target, end, is_ok);
      settle(run, target);
      return;
    case audit_end::slash:
      count_decided(run, target, end, is_wrong);
      slash(run, target);
      return;
    case audit_end::forfeit:
      count_decided(run, target, end, is_not_ok);
      void_claim(run, target, void_reason::unavailable);
      return;
    case audit_end::give_back:
      count_decided(run, target, end, is_any);
      void_claim(run, target, void_reason::undecided);
      return;
  }
}

/// Whether the audit takes this vote: any from a member that it calls, and from other members all
/// but `ok`, as long as it is undecided. Protocol §8.3.
bool takes_vote(const block_run& run, const submission_row& s, bool undecided, const address& voter,
                audit_verdict verdict) {
  const auto& committee = run.state.committee();
  const auto& chain = run.state.chain();
  if (!undecided) return was_called(s, committee, chain, voter);
  return is_not_ok(verdict) || is_called(run.parameters, s, committee, chain, voter);
}

/// The decision after a vote.
audit_end decide_now(const block_run& run, const submission_row& s) {
  const auto& committee = run.state.committee();
  if (const auto end = decide_by_quorum(s, committee); end != audit_end::wait) return end;
  return sample_settles(run.parameters, s, committee, run.state.chain()) ? audit_end::settle
                                                                         : audit_end::wait;
}

/// Pays the members that voted against and have a seat, by power, floor each; returns the sum.
shannons pay_accusers(block_run& run, const target_id& target, const submission_row& s,
                      shannons amount) {
  const auto all = power_where(run.state.committee(), s.votes, is_wrong);
  shannons paid;
  for (const auto& vote : s.votes) {
    const auto power = run.state.power_of(vote.voter);
    if (!is_wrong(vote.verdict) || power.value == 0) continue;
    const shannons part{share_of(amount.value, power.value, all.value)};
    run.state.must_move(of(pot::bonds), balance_of(vote.voter), part);
    paid.value += part.value;
    auto& e = run.note(event_kind::voter_paid);
    e.target = target;
    e.account = vote.voter;
    e.amount = part;
  }
  return paid;
}

}  // namespace

refused check_vote(const block_run& run, const address& sender,
                   const tx::vote_on_submission& what) {
  if (run.state.power_of(sender).value == 0) return refusal::voter_not_in_committee;
  const target_row* target = run.state.targets.find(what.target);
  if (target == nullptr) return refusal::target_unknown;
  const submission_row* found = run.state.submissions.find(what.target);
  if (found == nullptr || !found->revealed_at) return refusal::submission_not_revealed;
  if (has_voted(found->votes, sender)) return refusal::already_voted;
  const bool undecided = target->status == target_status::revealed;
  if (!undecided && run.epoch() > found->claimed_in.next()) return refusal::audit_too_old;
  if (!takes_vote(run, *found, undecided, sender, what.verdict)) return refusal::not_called;
  if (what.verdict == audit_verdict::unavailable &&
      !data_is_overdue(run.parameters, *found, run.state.chain().time_ms)) {
    return refusal::data_not_overdue;
  }
  return std::nullopt;
}

refused vote_on_submission(block_run& run, const address& sender,
                           const tx::vote_on_submission& what) {
  if (const auto no = check_vote(run, sender, what)) return no;
  const auto status = run.state.targets.get(what.target).status;
  const bool undecided = status == target_status::revealed;
  run.state.submissions.update(what.target, [&](submission_row& s) {
    s.votes.push_back({sender, run.state.power_of(sender), what.verdict});
  });
  if (!undecided && agrees_with(status, what.verdict)) count_late_vote(run, sender);
  auto& e = run.note(event_kind::audit_vote_cast);
  e.target = what.target;
  e.account = sender;
  e.detail = static_cast<std::uint64_t>(what.verdict);
  if (undecided)
    end_audit(run, what.target, decide_now(run, run.state.submissions.get(what.target)));
  return std::nullopt;
}

audit_end decide_by_quorum(const submission_row& s, const committee_row& present) {
  if (power_where(present, s.votes, is_ok) >= quorum_power) return audit_end::settle;
  if (power_where(present, s.votes, is_wrong) >= quorum_power) return audit_end::slash;
  if (power_where(present, s.votes, is_not_ok) >= quorum_power) return audit_end::forfeit;
  return audit_end::wait;
}

bool sample_settles(const genesis_parameters& p, const submission_row& s,
                    const committee_row& present, const chain_row& chain) {
  return !calls_all(p, s, present, chain) && draws_with_ok(s, present) >= settling_draws;
}

audit_end decide_at_epoch_end(const submission_row& s, const committee_row& present,
                              epoch_number epoch, std::uint32_t max_extensions) {
  if (epoch.value < s.claimed_in.value + 1 + s.extensions) return audit_end::wait;
  const auto decided = decide_by_quorum(s, present);
  if (decided != audit_end::wait) return decided;
  return s.extensions < max_extensions ? audit_end::extend : audit_end::give_back;
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
  const auto paid = pay_accusers(run, target, s, {s.bond.value / 2});
  const shannons burned{s.bond.value - paid.value};
  run.state.must_move(of(pot::bonds), of(pot::burned), burned);
  note_end(run, event_kind::bond_burned, target, s, burned);
  return_reward(run, target);
}

void void_claim(block_run& run, const target_id& target, void_reason reason) {
  const submission_row s = run.state.submissions.get(target);
  end_target(run, target, target_status::voided);
  note_end(run, event_kind::target_voided, target, s, s.bond);
  run.events.back().detail = static_cast<std::uint64_t>(reason);
  const bool burns = reason == void_reason::unavailable;
  run.state.must_move(of(pot::bonds), burns ? of(pot::burned) : balance_of(s.submitter), s.bond);
  note_end(run, burns ? event_kind::bond_burned : event_kind::bond_returned, target, s, s.bond);
  return_reward(run, target);
}

void miss_reveal(block_run& run, const target_id& target) {
  const submission_row s = run.state.submissions.get(target);
  SOMA_ASSERT(!s.revealed_at, "what was revealed has not missed its reveal");
  end_target(run, target, target_status::slashed);
  run.state.update_chain([](chain_row& c) { --c.claims_standing; });
  note_end(run, event_kind::reveal_missed, target, s, s.bond);
  run.state.must_move(of(pot::bonds), of(pot::burned), s.bond);
  note_end(run, event_kind::bond_burned, target, s, s.bond);
  return_reward(run, target);
}

namespace {

void expire(block_run& run, const target_id& target) {
  end_target(run, target, target_status::expired);
  run.expired.push_back(target);
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
              decide_at_epoch_end(run.state.submissions.get(id), run.state.committee(), run.epoch(),
                                  run.parameters.max_audit_extensions));
  }
  for (const auto& id : due) {
    if (status(id) != target_status::filled) continue;
    const auto& s = run.state.submissions.get(id);
    // The earliest block that could still hold the reveal is the next one, in the next epoch.
    const auto earliest_ms = run.state.chain().time_ms + 1;
    if (!reveal_window_open(run.parameters, s, run.height.next(), earliest_ms, run.epoch().next()))
      miss_reveal(run, id);
  }
  for (const auto& id : due) {
    if (!is_over(status(id))) schedule(run, run.epoch().next(), id);
  }
}

}  // namespace soma::rules
