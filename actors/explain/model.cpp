// Explains a model: the history of its versions, its pool, and what it won and lost. Protocol §§4
// and 6.
#include <algorithm>
#include <map>

#include "actors/explain/deadlines.hpp"
#include "actors/explain/describe_event.hpp"
#include "actors/explain/names.hpp"
#include "actors/explain/positions.hpp"
#include "actors/ledger/vote_tally.hpp"
#include "actors/rules/arithmetic.hpp"
#include "actors/rules/models.hpp"
#include "actors/rules/pools.hpp"

namespace soma::explain {
namespace {

using events_by_kind = std::map<event_kind, event>;  // the latest event of each kind

struct model_record {
  std::uint64_t claims = 0, wins = 0, rejected = 0, reveals_missed = 0;
  shannons paid, slashed;
  std::uint64_t events_read = 0;
  bool complete = true;
  std::map<std::uint32_t, events_by_kind> versions;
  events_by_kind latest;
  std::vector<event> life;  // the latest first
};

bool is_life(event_kind kind) {
  switch (kind) {
    case event_kind::model_committed:
    case event_kind::model_revealed:
    case event_kind::model_activated:
    case event_kind::model_update_dropped:
    case event_kind::model_not_accepted:
    case event_kind::model_slashed:
    case event_kind::model_retiring:
    case event_kind::model_retired:
    case event_kind::commission_changed:
      return true;
    default:
      return false;
  }
}

void count(model_record& r, const event& e) {
  r.claims += e.kind == event_kind::target_filled ? 1 : 0;
  r.wins += e.kind == event_kind::target_settled ? 1 : 0;
  r.rejected += e.kind == event_kind::target_slashed ? 1 : 0;
  r.reveals_missed += e.kind == event_kind::reveal_missed ? 1 : 0;
  if (e.kind == event_kind::model_paid) r.paid.value += e.amount.value;
  if (e.kind == event_kind::model_slashed) r.slashed.value += e.amount.value;
}

model_record read_record(const explain_context& context, const model_id& id) {
  model_record r;
  context.view.visit_events_of(id, [&](const event& e) {
    if (r.events_read == context.how.events) {
      r.complete = false;
      return false;
    }
    ++r.events_read;
    count(r, e);
    if (!is_life(e.kind)) return true;
    r.versions[e.model.version].emplace(e.kind, e);
    r.latest.emplace(e.kind, e);
    if (r.life.size() < context.how.listed) r.life.push_back(e);
    return true;
  });
  return r;
}

const event* find(const events_by_kind& all, event_kind kind) {
  const auto found = all.find(kind);
  return found == all.end() ? nullptr : &found->second;
}

std::string in_block(const event* e) {
  return e == nullptr ? "" : format_text(" in block ", e->height);
}

struct judged {
  std::uint64_t good = 0, bad = 0;
};
judged judge(const explain_context& context, const model_version_row& version) {
  // A version on trial is judged by the present committee. Of others only the power is known that
  // each voter had when it voted.
  const bool on_trial = version.status == version_status::revealed;
  const auto present = on_trial ? present_committee(context) : committee_row{};
  judged j;
  for (const auto& vote : version.votes) {
    const auto power = on_trial ? ledger::power_of(present, vote.voter) : vote.power;
    (vote.verdict == model_verdict::good ? j.good : j.bad) += power.value;
  }
  return j;
}

/// "; verdicts: 1 good, 3 malformed": how many members said what; nothing while none has.
std::string describe_verdicts(const model_version_row& version) {
  std::map<model_verdict, std::uint64_t> said;
  for (const auto& vote : version.votes) ++said[vote.verdict];
  std::string all;
  for (const auto& [verdict, members] : said) {
    all += format_text(all.empty() ? "; verdicts: " : ", ", members, " ", name_of(verdict));
  }
  return all;
}

/// The last epoch whose end may find a version good.
epoch_number last_trial(const model_version_row& version) {
  return {version.committed_in.value + rules::trial_epochs};
}

std::string describe_drop(const model_version_row& v, const events_by_kind& events) {
  if (v.weights.is_zero())
    return format_text(in_block(find(events, event_kind::model_update_dropped)),
                       ": not revealed in epoch ", v.committed_in.next());
  const auto* not_accepted = find(events, event_kind::model_not_accepted);
  if (not_accepted == nullptr) return in_block(find(events, event_kind::model_update_dropped));
  if (not_accepted->other != address{}) {
    return format_text(in_block(not_accepted), ": ", not_accepted->other.text(),
                       " has published the same weights before");
  }
  return format_text(in_block(not_accepted), ": no quorum had found it good when epoch ",
                     not_accepted->epoch, " ended");
}

std::string describe_version(const explain_context& context, const model_version_row& v,
                             const events_by_kind& events) {
  const auto in = [&](event_kind kind) { return in_block(find(events, kind)); };
  const auto committed =
      format_text("committed", in(event_kind::model_committed), " of epoch ", v.committed_in);
  const auto revealed = format_text(committed, ", revealed", in(event_kind::model_revealed));
  const auto activated = format_text(revealed, ", active", in(event_kind::model_activated));
  switch (v.status) {
    case version_status::committed:
      return format_text(committed, ", to be revealed in epoch ", v.committed_in.next());
    case version_status::revealed:
      return format_text(revealed, ", on trial: validators with a power of ",
                         judge(context, v).good, " of the ", rules::quorum_power.value,
                         " needed find it good");
    case version_status::active:
      return activated;
    case version_status::superseded:
      return format_text(activated, ", replaced by a later version");
    case version_status::dropped:
      return format_text(v.weights.is_zero() ? committed : revealed, ", dropped",
                         describe_drop(v, events));
    case version_status::bad:
      return format_text(revealed, ", judged bad", in(event_kind::model_slashed), " by a power of ",
                         judge(context, v).bad, " of the ", rules::quorum_power.value, " needed");
  }
  return committed;
}

passage versions_of(const explain_context& context, const model_id& id, const model_row& row,
                    const model_record& r) {
  passage described{"versions", "Versions", {}};
  const auto shown_from =
      row.latest_version > context.how.listed
          ? row.latest_version - static_cast<std::uint32_t>(context.how.listed) + 1
          : 1;
  for (std::uint32_t number = shown_from; number <= row.latest_version; ++number) {
    const auto v = context.view.model_version({id, number});
    if (!v) continue;
    const auto events = r.versions.find(number);
    const auto votes = judge(context, *v);
    step s{"version",
           format_text(
               "version ", std::uint64_t{number}, ": ",
               describe_version(context, *v,
                                events == r.versions.end() ? events_by_kind{} : events->second),
               describe_verdicts(*v)),
           std::nullopt,
           "6",
           {{"version", std::uint64_t{number}},
            {"status", std::string(name_of(v->status))},
            {"committed_epoch", v->committed_in.value},
            {"size_bytes", v->manifest.size_bytes},
            {"good_power", votes.good},
            {"bad_power", votes.bad}}};
    if (!v->weights.is_zero()) s.fields.push_back({"weights", v->weights.text()});
    described.steps.push_back(std::move(s));
  }
  return described;
}

passage pool_of_model(const explain_context& context, const model_id& id, const model_row& row) {
  passage described{"pool", "Stake", {}};
  described.steps.push_back(describe_pool(context, id, row.pool, row.commission_bps));
  for (auto& s : describe_positions(context, id, row.pool, row.owner))
    described.steps.push_back(std::move(s));
  return described;
}

std::string why_inactive(const model_record& r) {
  if (const auto* slashed = find(r.latest, event_kind::model_slashed))
    return format_text("inactive since block ", slashed->height, ", when ", slashed->amount,
                       " of its pool was slashed, its owner's part first (protocol §6)");
  const auto* ended = find(r.latest, event_kind::model_not_accepted);
  if (ended != nullptr && find(r.latest, event_kind::model_retired) == nullptr)
    return format_text("inactive since block ", ended->height,
                       ended->other != address{} ? ": its weights were published before"
                                                 : ": no quorum of validators found it good",
                       "; its stake can be withdrawn (protocol §6)");
  if (const auto* retired = find(r.latest, event_kind::model_retired))
    return format_text("inactive: it retired in block ", retired->height, " (protocol §6)");
  return "inactive";
}

std::string summary_of(const explain_context& context, const model_id& id, const model_row& row,
                       const model_record& r) {
  const auto record_text =
      format_text("won ", format_count(r.wins, "target"), ", was paid ", r.paid);
  switch (row.status) {
    case model_status::committed:
      return format_text(format_model(context, {id, 0}), " of ", row.owner,
                         " has never been active");
    case model_status::active:
      return format_text(format_model(context, {id, row.active_version}), " of ", row.owner,
                         " is active: ", record_text, row.retiring ? "; it is retiring" : "");
    case model_status::inactive:
      return format_text(format_model(context, {id, 0}), " of ", row.owner, " is ", why_inactive(r),
                         "; it ", record_text);
  }
  return {};
}

std::vector<field> facts_of(const model_row& row, const model_record& r) {
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

step reveal_due(const explain_context& context, const model_row& row,
                const model_version_row& latest) {
  const auto due = latest.committed_in.next();
  const bool is_new = row.active_version == 0;
  auto described = due_at_end_of(
      context, due, "model_reveal_due",
      format_text(
          "version ", std::uint64_t{row.latest_version}, " must be revealed in epoch ", due, ", ",
          is_new ? format_text("or ", std::uint64_t{context.parameters.missed_reveal_slash_bps},
                               " basis points of the pool are slashed, the owner's part first, and "
                               "the model is inactive")
                 : "or the update is dropped"),
      "6");
  described.fields.push_back({"version", std::uint64_t{row.latest_version}});
  return described;
}

step trial_due(const explain_context& context, const model_row& row,
               const model_version_row& latest) {
  const auto now = context.chain.epoch;
  const auto last = last_trial(latest);
  const auto good = judge(context, latest).good;
  auto described = due_at_end_of(
      context, now, "model_activates",
      format_text("version ", std::uint64_t{row.latest_version},
                  " becomes active at the end of epoch ", now, " if validators with a power of ",
                  rules::quorum_power.value, " find it good then, now ", good, "; otherwise ",
                  now < last ? format_text("it waits, and is dropped at the end of epoch ", last)
                             : "it is dropped",
                  ", without a slash"),
      "6");
  described.fields.push_back({"version", std::uint64_t{row.latest_version}});
  described.fields.push_back({"good_power", good});
  described.fields.push_back({"last_epoch", last.value});
  return described;
}

}  // namespace

std::vector<step> model_deadlines(const explain_context& context, const model_id& id,
                                  const model_row& row) {
  std::vector<step> next;
  if (row.status == model_status::inactive) return next;
  const auto now = context.chain.epoch;
  const auto latest = context.view.model_version({id, row.latest_version});
  if (row.retiring) {
    next.push_back(due_at_end_of(context, now, "model_retires",
                                 format_text("it becomes inactive at the end of epoch ", now,
                                             ", its stake can be withdrawn then"),
                                 "6"));
  }
  if (latest && latest->status == version_status::committed)
    next.push_back(reveal_due(context, row, *latest));
  if (latest && latest->status == version_status::revealed && !row.retiring) {
    next.push_back(trial_due(context, row, *latest));
  }
  if (row.commission_bps != row.next_commission_bps) {
    next.push_back(
        due_at_end_of(context, now, "commission_changes",
                      format_text("its commission becomes ", std::uint64_t{row.next_commission_bps},
                                  " basis points"),
                      "4"));
  }
  return next;
}

expected<explanation, refusal> explain_model(const tables::ledger_view& view, const model_id& id,
                                             const options& how) {
  const auto context = open_context(view, how);
  if (!context) return unexpected(refusal::no_ledger);
  const auto row = view.model(id);
  if (!row) return unexpected(refusal::model_unknown);
  const auto r = read_record(*context, id);
  passage life{"story", "What happened", {}};
  for (auto e = r.life.rbegin(); e != r.life.rend(); ++e)
    life.steps.push_back(describe_event(*context, *e));
  return explanation{
      "model",
      id.text(),
      std::string(name_of(row->status)),
      summary_of(*context, id, *row, r),
      facts_of(*row, r),
      {versions_of(*context, id, *row, r), pool_of_model(*context, id, *row), std::move(life)},
      model_deadlines(*context, id, *row)};
}

}  // namespace soma::explain
