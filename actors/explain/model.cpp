// A model: the life of its versions, its pool, what it won and lost. Protocol §§4 and 6.
#include <algorithm>
#include <map>

#include "actors/explain/deadlines.hpp"
#include "actors/explain/names.hpp"
#include "actors/explain/narrate.hpp"
#include "actors/explain/positions.hpp"
#include "actors/rules/arithmetic.hpp"
#include "actors/rules/pools.hpp"

namespace soma::explain {
namespace {

using kinds = std::map<event_kind, event>;  // the latest of each

struct record {
  std::uint64_t claims = 0, wins = 0, rejected = 0, reveals_missed = 0;
  shannons paid, slashed;
  std::uint64_t events_read = 0;
  bool complete = true;
  std::map<std::uint32_t, kinds> versions;
  kinds latest;
  std::vector<event> life;  // the latest first
};

bool is_life(event_kind kind) {
  switch (kind) {
    case event_kind::model_committed:
    case event_kind::model_revealed:
    case event_kind::model_activated:
    case event_kind::model_update_dropped:
    case event_kind::model_slashed:
    case event_kind::model_retiring:
    case event_kind::model_retired:
    case event_kind::commission_changed:
      return true;
    default:
      return false;
  }
}

void count(record& r, const event& e) {
  r.claims += e.kind == event_kind::target_filled ? 1 : 0;
  r.wins += e.kind == event_kind::target_settled ? 1 : 0;
  r.rejected += e.kind == event_kind::target_slashed ? 1 : 0;
  r.reveals_missed += e.kind == event_kind::reveal_missed ? 1 : 0;
  if (e.kind == event_kind::model_paid) r.paid.value += e.amount.value;
  if (e.kind == event_kind::model_slashed) r.slashed.value += e.amount.value;
}

record read_record(const telling& t, const model_id& id) {
  record r;
  t.view.visit_events_of(id, [&](const event& e) {
    if (r.events_read == t.how.events) {
      r.complete = false;
      return false;
    }
    ++r.events_read;
    count(r, e);
    if (!is_life(e.kind)) return true;
    r.versions[e.model.version].emplace(e.kind, e);
    r.latest.emplace(e.kind, e);
    if (r.life.size() < t.how.listed) r.life.push_back(e);
    return true;
  });
  return r;
}

const event* find(const kinds& all, event_kind kind) {
  const auto found = all.find(kind);
  return found == all.end() ? nullptr : &found->second;
}

std::string in_block(const event* e) {
  return e == nullptr ? "" : say(" in block ", e->height);
}

struct judged {
  std::uint64_t good = 0, bad = 0;
};
judged judge(const model_version_row& version) {
  judged j;
  for (const auto& vote : version.votes)
    (vote.verdict == model_verdict::good ? j.good : j.bad) += vote.power;
  return j;
}

std::string told_version(const model_version_row& v, const kinds& events) {
  const auto in = [&](event_kind kind) { return in_block(find(events, kind)); };
  const auto committed =
      say("committed", in(event_kind::model_committed), " of epoch ", v.committed_in);
  const auto revealed = say(committed, ", revealed", in(event_kind::model_revealed));
  const auto activated = say(revealed, ", active", in(event_kind::model_activated));
  switch (v.status) {
    case version_status::committed:
      return say(committed, ", to be revealed in epoch ", v.committed_in.next());
    case version_status::revealed:
      return say(revealed, ", active when epoch ", v.committed_in.next(), " ends");
    case version_status::active:
      return activated;
    case version_status::superseded:
      return say(activated, ", replaced by a later version");
    case version_status::dropped:
      return say(v.weights.is_zero() ? committed : revealed, ", dropped",
                 in(event_kind::model_update_dropped),
                 v.weights.is_zero() ? say(": not revealed in epoch ", v.committed_in.next()) : "");
    case version_status::bad:
      return say(revealed, ", judged bad", in(event_kind::model_slashed), " by a power of ",
                 judge(v).bad, " of the ", rules::quorum_power, " needed");
  }
  return committed;
}

passage versions_of(const telling& t, const model_id& id, const model_row& row, const record& r) {
  passage told{"versions", "Versions", {}};
  const auto shown_from = row.latest_version > t.how.listed
                              ? row.latest_version - static_cast<std::uint32_t>(t.how.listed) + 1
                              : 1;
  for (std::uint32_t number = shown_from; number <= row.latest_version; ++number) {
    const auto v = t.view.model_version({id, number});
    if (!v) continue;
    const auto events = r.versions.find(number);
    const auto votes = judge(*v);
    step s{"version",
           say("version ", std::uint64_t{number}, ": ",
               told_version(*v, events == r.versions.end() ? kinds{} : events->second)),
           std::nullopt,
           "6",
           {{"version", std::uint64_t{number}},
            {"status", std::string(name_of(v->status))},
            {"committed_epoch", v->committed_in.value},
            {"size_bytes", v->manifest.size_bytes},
            {"good_power", votes.good},
            {"bad_power", votes.bad}}};
    if (!v->weights.is_zero()) s.fields.push_back({"weights", v->weights.text()});
    told.steps.push_back(std::move(s));
  }
  return told;
}

passage pool_of_model(const telling& t, const model_id& id, const model_row& row) {
  passage told{"pool", "Stake", {}};
  told.steps.push_back(told_pool(t, id, row.pool, row.commission_bps));
  for (auto& s : told_positions(t, id, row.pool, row.owner)) told.steps.push_back(std::move(s));
  return told;
}

std::string why_inactive(const record& r) {
  if (const auto* slashed = find(r.latest, event_kind::model_slashed))
    return say("inactive since block ", slashed->height, ", when ", slashed->amount,
               " of its owner's stake was slashed (protocol §6)");
  if (const auto* retired = find(r.latest, event_kind::model_retired))
    return say("inactive: it retired in block ", retired->height, " (protocol §6)");
  return "inactive";
}

std::string summary_of(const telling& t, const model_id& id, const model_row& row,
                       const record& r) {
  const auto record_text = say("won ", counted(r.wins, "target"), ", was paid ", r.paid);
  switch (row.status) {
    case model_status::committed:
      return say(shown_model(t, {id, 0}), " of ", row.owner, " was never active yet");
    case model_status::active:
      return say(shown_model(t, {id, row.active_version}), " of ", row.owner,
                 " is active: ", record_text, row.retiring ? "; it is retiring" : "");
    case model_status::inactive:
      return say(shown_model(t, {id, 0}), " of ", row.owner, " is ", why_inactive(r), "; it ",
                 record_text);
  }
  return {};
}

std::vector<field> facts_of(const model_row& row, const record& r) {
  return {{"owner", row.owner.text()},
          {"active_version", std::uint64_t{row.active_version}},
          {"latest_version", std::uint64_t{row.latest_version}},
          {"retiring", row.retiring},
          {"commission_bps", std::uint64_t{row.commission_bps}},
          {"next_commission_bps", std::uint64_t{row.next_commission_bps}},
          {"stake_shannons", row.pool.stake.value},
          {"shares", row.pool.shares},
          {"owner_shares", row.pool.owner_shares},
          {"own_stake_shannons", rules::own_stake(row.pool).value},
          {"claims", r.claims},
          {"wins", r.wins},
          {"rejected", r.rejected},
          {"reveals_missed", r.reveals_missed},
          {"paid_shannons", r.paid.value},
          {"slashed_shannons", r.slashed.value},
          {"events_read", r.events_read},
          {"events_complete", r.complete}};
}

step reveal_due(const telling& t, const model_row& row, const model_version_row& latest) {
  const auto due = latest.committed_in.next();
  const bool is_new = row.active_version == 0;
  auto told = due_at_end_of(
      t, due, "model_reveal_due",
      say("version ", std::uint64_t{row.latest_version}, " must be revealed in epoch ", due, ", ",
          is_new ? say("or ", std::uint64_t{t.parameters.missed_reveal_slash_bps},
                       " basis points of the owner's stake are slashed and the model is inactive")
                 : "or the update is dropped"),
      "6");
  told.fields.push_back({"version", std::uint64_t{row.latest_version}});
  return told;
}

}  // namespace

std::vector<step> model_deadlines(const telling& t, const model_id& id, const model_row& row) {
  std::vector<step> next;
  if (row.status == model_status::inactive) return next;
  const auto now = t.chain.epoch;
  const auto latest = t.view.model_version({id, row.latest_version});
  if (row.retiring) {
    next.push_back(due_at_end_of(
        t, now, "model_retires",
        say("it becomes inactive at the end of epoch ", now, ", its stake can be withdrawn then"),
        "6"));
  }
  if (latest && latest->status == version_status::committed)
    next.push_back(reveal_due(t, row, *latest));
  if (latest && latest->status == version_status::revealed && !row.retiring) {
    next.push_back(due_at_end_of(t, now, "model_activates",
                                 say("version ", std::uint64_t{row.latest_version},
                                     " becomes active at the end of epoch ", now),
                                 "6"));
  }
  if (row.commission_bps != row.next_commission_bps) {
    next.push_back(due_at_end_of(
        t, now, "commission_changes",
        say("its commission becomes ", std::uint64_t{row.next_commission_bps}, " basis points"),
        "4"));
  }
  return next;
}

namespace {

/// The votes that a bad version was judged by are paid in the same transaction.
void add_paid_voters(const telling& t, const event& slashed, passage& life) {
  if (slashed.transaction.is_zero()) return;
  for (const auto& e : t.view.events_at(slashed.height)) {
    if (e.kind == event_kind::voter_paid && e.transaction == slashed.transaction)
      life.steps.push_back(narrate(t, e));
  }
}

}  // namespace

expected<explanation, refusal> explain_model(const storage::ledger_view& view, const model_id& id,
                                             const options& how) {
  const auto t = begin_telling(view, how);
  if (!t) return unexpected(refusal::no_ledger);
  const auto row = view.model(id);
  if (!row) return unexpected(refusal::model_unknown);
  const auto r = read_record(*t, id);
  passage life{"story", "What happened", {}};
  for (auto e = r.life.rbegin(); e != r.life.rend(); ++e) {
    life.steps.push_back(narrate(*t, *e));
    if (e->kind == event_kind::model_slashed) add_paid_voters(*t, *e, life);
  }
  return explanation{"model",
                     id.text(),
                     std::string(name_of(row->status)),
                     summary_of(*t, id, *row, r),
                     facts_of(*row, r),
                     {versions_of(*t, id, *row, r), pool_of_model(*t, id, *row), std::move(life)},
                     model_deadlines(*t, id, *row)};
}

}  // namespace soma::explain
