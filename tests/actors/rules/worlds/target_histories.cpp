#include "tests/actors/rules/worlds/invariants.hpp"
#include "tests/actors/rules/worlds/violation.hpp"

namespace soma::test {
namespace {

constexpr const char* target_states[] = {"open",    "filled",  "revealed", "settled",
                                         "slashed", "expired", "voided"};

std::string name_of(target_status status) {
  return target_states[static_cast<std::size_t>(status)];
}

}  // namespace

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
      must(h.status == target_status::settled ||
               (h.status == target_status::voided && h.voided != void_reason::unavailable),
           "a bond comes back when the target is settled, or void without a fault");
      once(h.bond_ended);
      h.bond_back = e.amount;
      return;
    case event_kind::bond_burned:
      must(h.status == target_status::slashed ||
               (h.status == target_status::voided && h.voided == void_reason::unavailable),
           "a bond burns when the target is slashed, or its data was unavailable");
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
    return steps_.take(life::target, "[*]", name_of(target_status::open));
  }
  const auto found = all_.find(e.target);
  must(found != all_.end(), "what happens to a target happens after it opened");
  auto& h = found->second;
  const auto step = [&](target_status to) {
    steps_.take(life::target, name_of(h.status), name_of(to));
    h.status = to;
  };
  switch (e.kind) {
    case event_kind::target_filled:
      return step(target_status::filled);
    case event_kind::data_revealed:
      return step(target_status::revealed);
    case event_kind::target_settled:
      return step(target_status::settled);
    case event_kind::target_slashed:
      must(h.status == target_status::revealed, "votes slash what was revealed");
      return step(target_status::slashed);
    case event_kind::reveal_missed:
      must(h.status == target_status::filled, "what was revealed has not missed its reveal");
      return step(target_status::slashed);
    case event_kind::target_expired:
      return step(target_status::expired);
    case event_kind::target_voided:
      h.voided = static_cast<void_reason>(e.detail);
      must((h.status == target_status::filled) == (h.voided == void_reason::data_in_use),
           "a claim is void before its reveal only for data that is in use");
      return step(target_status::voided);
    default:
      follow_end(h, e);
  }
}

void target_histories::check(const rules::effects& done, const mirror& rows,
                             const deciding_powers& powers) {
  for (const auto& e : done.events) {
    switch (e.kind) {
      case event_kind::voter_paid:
        must(!e.target.is_zero(), "nobody is paid for a verdict on a model");
        [[fallthrough]];
      case event_kind::target_opened:
      case event_kind::target_filled:
      case event_kind::data_revealed:
      case event_kind::target_settled:
      case event_kind::target_slashed:
      case event_kind::target_expired:
      case event_kind::target_voided:
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
  compare(rows, powers);
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
  } else if (h.status == target_status::voided) {
    must(h.bond_ended && h.bond_lost.value + h.bond_back.value == s->bond.value,
         "the bond of a void claim goes back or burns, all of it");
    must(h.paid.value == 0 && h.to_voters.value == 0, "nobody is paid for a void claim");
  }
}

/// Protocol §8.4: only quorums of the committee that decides settle, slash or forfeit.
void target_histories::check_verdict(const mirror& rows, const deciding_powers& powers) const {
  const bool epoch_ended = rows.chain.epoch != rows.chain_before.epoch;
  for (const auto& c : rows.targets.changed) {
    must(c.after->point.empty() == (c.after->status != target_status::open),
         "only open targets have a point");
    const auto* s = rows.submissions.find(c.key);
    if (s == nullptr || !s->revealed_at || (c.before && c.before->status == c.after->status))
      continue;
    const auto ok = powers.where(s->votes, [](auto v) { return v == audit_verdict::ok; });
    const auto no = powers.where(s->votes, [](auto v) { return v != audit_verdict::ok; });
    const auto wrong = powers.where(
        s->votes, [](auto v) { return v != audit_verdict::ok && v != audit_verdict::unavailable; });
    const auto reason = all_.at(c.key).voided;
    if (c.after->status == target_status::settled)
      must(ok >= 6'667 || s->sampled, "a quorum or a sample settles a target");
    if (c.after->status == target_status::slashed)
      must(wrong >= 6'667, "a quorum slashes a target");
    if (reason == void_reason::unavailable) must(no >= 6'667, "a quorum forfeits a bond");
    if (reason == void_reason::undecided)
      must(epoch_ended && ok < 6'667 && no < 6'667, "what a quorum decides is not void");
    if (c.after->status == target_status::revealed && !epoch_ended)
      must(ok < 6'667 && no < 6'667, "a quorum decides at once");
  }
}

void target_histories::compare(const mirror& rows, const deciding_powers& powers) const {
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
  check_verdict(rows, powers);
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
