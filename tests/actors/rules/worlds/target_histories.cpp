#include "tests/actors/rules/worlds/invariants.hpp"
#include "tests/actors/rules/worlds/violation.hpp"

namespace soma::test {

void target_histories::follow_end(history& h, const event& e) {
  const auto once = [&](bool& flag) {
    must(!flag, "nobody is paid twice for one target");
    flag = true;
  };
  switch (e.kind) {
    case event_kind::submitter_paid:
      must(h.status == target_status::settled, "a submitter is paid when the target is settled");
      once(h.submitter_paid);
      h.to_submitter = e.amount;
      h.paid.value += e.amount.value;
      return;
    case event_kind::model_paid:
      must(h.status == target_status::settled, "a model is paid when the target is settled");
      once(h.model_paid);
      h.paid.value += e.amount.value;
      return;
    case event_kind::bond_returned:
      must(h.status == target_status::settled, "a bond comes back when the target is settled");
      once(h.bond_ended);
      h.bond_back = e.amount;
      return;
    case event_kind::bond_burned:
      must(h.status == target_status::slashed, "a bond burns when the target is slashed");
      once(h.bond_ended);
      h.bond_lost = e.amount;
      return;
    default:
      must(h.status == target_status::slashed, "voters are paid when the target is slashed");
      must(h.voters_paid.insert(e.account).second, "no voter is paid twice for one target");
      h.to_voters.value += e.amount.value;
  }
}

void target_histories::follow(const event& e) {
  if (e.kind == event_kind::target_opened) {
    must(all_.emplace(e.target, history{}).second, "a target opens once");
    return;
  }
  const auto found = all_.find(e.target);
  must(found != all_.end(), "what happens to a target happens after it opened");
  auto& h = found->second;
  const auto step = [&](target_status from, target_status to) {
    must(h.status == from, "a target takes only the steps there are");
    h.status = to;
  };
  switch (e.kind) {
    case event_kind::target_filled:
      return step(target_status::open, target_status::filled);
    case event_kind::data_revealed:
      return step(target_status::filled, target_status::revealed);
    case event_kind::target_settled:
      return step(target_status::revealed, target_status::settled);
    case event_kind::target_slashed:
      return step(target_status::revealed, target_status::slashed);
    case event_kind::reveal_missed:
      return step(target_status::filled, target_status::slashed);
    case event_kind::target_expired:
      return step(target_status::open, target_status::expired);
    default:
      follow_end(h, e);
  }
}

void target_histories::check(const rules::effects& done, const mirror& rows) {
  for (const auto& e : done.events) {
    switch (e.kind) {
      case event_kind::voter_paid:
        if (e.target.is_zero()) break;  // the event is about a bad model
        [[fallthrough]];
      case event_kind::target_opened:
      case event_kind::target_filled:
      case event_kind::data_revealed:
      case event_kind::target_settled:
      case event_kind::target_slashed:
      case event_kind::target_expired:
      case event_kind::reveal_missed:
      case event_kind::submitter_paid:
      case event_kind::model_paid:
      case event_kind::bond_returned:
      case event_kind::bond_burned:
        follow(e);
        break;
      default:
        break;
    }
  }
  compare(rows);
}

void target_histories::check_end(const history& h, const target_row& target,
                                 const submission_row* s) const {
  if (h.status == target_status::settled) {
    must(h.submitter_paid && h.model_paid && h.bond_ended, "all roles are paid");
    must(h.paid == target.reward && h.bond_back == s->bond,
         "a settled target pays its reward and returns its bond");
    must(h.to_submitter.value == target.reward.value - target.reward.value / 2,
         "a submitter gets half, and the odd shannon");
  } else if (h.status == target_status::slashed) {
    must(h.bond_ended && h.to_voters.value + h.bond_lost.value == s->bond.value,
         "a slashed target's bond goes to voters and is burned");
    must(h.to_voters.value <= s->bond.value / 2, "voters get half of the bond at most");
  }
}

/// Protocol §8.4: the side with the votes decides the target.
void target_histories::check_verdict(const mirror& rows) const {
  const bool epoch_ended = rows.chain.epoch != rows.chain_before.epoch;
  for (const auto& c : rows.targets.changed) {
    const auto* s = rows.submissions.find(c.key);
    if (s == nullptr || !s->revealed_at || (c.before && c.before->status == c.after->status))
      continue;
    std::uint64_t ok = 0, bad = 0;
    for (const auto& vote : s->votes)
      (vote.verdict == audit_verdict::ok ? ok : bad) += vote.power.value;
    const bool few = ok + bad < 3'334;
    if (c.after->status == target_status::settled)
      must(ok >= 6'667 || (epoch_ended && (ok >= bad || few)), "votes settle a target");
    if (c.after->status == target_status::slashed)
      must(bad >= 6'667 || (epoch_ended && bad > ok && !few), "votes slash a target");
    if (c.after->status == target_status::revealed && !epoch_ended)
      must(ok < 6'667 && bad < 6'667, "a quorum decides at once");
  }
}

void target_histories::compare(const mirror& rows) const {
  for (const auto& c : rows.targets.changed) {
    const auto found = all_.find(c.key);
    must(found != all_.end(), "a target's row comes with the event");
    const auto& h = found->second;
    must(h.status == c.after->status, "events tell a target's status");
    if (c.before) {
      must(c.before->epoch == c.after->epoch && c.before->opened_at == c.after->opened_at &&
               c.before->radius_q30 == c.after->radius_q30 &&
               c.before->assigned == c.after->assigned && c.before->reward == c.after->reward,
           "a target, once open, is not altered");
    }
    const auto* s = rows.submissions.find(c.key);
    const bool claimed = h.status != target_status::open && h.status != target_status::expired;
    must(claimed == (s != nullptr), "a submission begins with the claim");
    check_end(h, *c.after, s);
  }
  check_verdict(rows);
  for (const auto& c : rows.submissions.changed) {
    must(c.after != nullptr, "no submission disappears");
    if (!c.before) continue;
    must(c.before->bond == c.after->bond && c.before->submitter == c.after->submitter &&
             c.before->winner == c.after->winner && c.before->claimed_in == c.after->claimed_in &&
             c.before->commitment == c.after->commitment,
         "a claim is not altered");
    must(c.before->votes.size() <= c.after->votes.size(), "votes are kept");
  }
}

}  // namespace soma::test
