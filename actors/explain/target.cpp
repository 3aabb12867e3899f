// A target from its opening to its last payment, protocol §§7-9.
#include <algorithm>
#include <bit>
#include <map>

#include "actors/explain/deadlines.hpp"
#include "actors/explain/names.hpp"
#include "actors/explain/narrate.hpp"
#include "actors/rules/arithmetic.hpp"

namespace soma::explain {
namespace {

constexpr std::size_t most_events = 8'192;  // of one target: its votes are bounded, all else is few

struct tally {
  std::uint64_t ok = 0, against = 0;
  std::map<audit_verdict, std::uint64_t> by_verdict;  // power

  void add(audit_verdict verdict, std::uint64_t power) {
    (verdict == audit_verdict::ok ? ok : against) += power;
    by_verdict[verdict] += power;
  }
  /// "3334 wrong loss and 3333 unavailable".
  [[nodiscard]] std::string reasons() const {
    std::string text;
    for (const auto& [verdict, power] : by_verdict) {
      if (verdict == audit_verdict::ok) continue;
      text += say(text.empty() ? "" : " and ", power, " `", name_of(verdict), "`");
    }
    return text;
  }
};

struct target_story {
  const telling& t;
  target_id id;
  target_row row;
  std::optional<submission_row> claim;
  tally votes{};
  std::map<event_kind, event> latest{};  // of each kind
  std::string ending{};                  // why it settled, was slashed or expired

  [[nodiscard]] std::uint64_t reveal_by() const {
    return claim->claimed_at.value + t.parameters.reveal_window_blocks;
  }
  [[nodiscard]] const event* happened(event_kind kind) const {
    const auto found = latest.find(kind);
    return found == latest.end() ? nullptr : &found->second;
  }
  [[nodiscard]] std::string amount_of(event_kind kind) const {
    const auto* e = happened(kind);
    return shown(e != nullptr ? e->amount : shannons{});
  }
};

std::vector<std::string> assigned_ids(const target_row& row) {
  std::vector<std::string> ids;
  for (const auto& ref : row.assigned)
    ids.push_back(ref.model.text() + ":" + std::to_string(ref.version));
  return ids;
}

void tell_opening(const target_story& s, step& told) {
  std::string assigned;
  for (const auto& ref : s.row.assigned)
    assigned += (assigned.empty() ? "" : ", ") + shown_model(s.t, ref);
  told.text += say("; a claim needs a distance of at most ",
                   shown_decimal(unit_distance(s.row.radius_q30)), " and one of ", assigned);
  told.fields.push_back({"radius", unit_distance(s.row.radius_q30)});
  told.fields.push_back({"assigned", assigned_ids(s.row)});
}

void tell_claim(const target_story& s, step& told) {
  const auto& c = *s.claim;
  const float loss = std::bit_cast<float>(c.loss_bits);
  told.text +=
      say("; loss ", shown_decimal(loss), ", distance ",
          shown_decimal(unit_distance(c.distance_q30)), ", ", counted(c.size_bytes, "byte"));
  told.fields.push_back({"loss", loss});
  told.fields.push_back({"distance", unit_distance(c.distance_q30)});
  told.fields.push_back({"size_bytes", c.size_bytes});
  told.fields.push_back({"reveal_by_height", s.reveal_by()});
}

void tell_vote(target_story& s, step& told, const event& e) {
  for (const auto& vote : s.claim->votes) {
    if (vote.voter != e.account) continue;
    s.votes.add(vote.verdict, vote.power);
    told.fields.push_back({"power", std::uint64_t{vote.power}});
  }
  told.text += say(": ", s.votes.ok, " ok and ", s.votes.against, " against so far, ",
                   rules::quorum_power, " decide");
  told.fields.push_back({"ok_power", s.votes.ok});
  told.fields.push_back({"against_power", s.votes.against});
}

/// Why the audit ended as it did. A decision inside a transaction is a quorum's; one outside is
/// that of the epoch's end.
void tell_decision(target_story& s, step& told, const event& e) {
  const bool settled = e.kind == event_kind::target_settled;
  const bool by_quorum = !e.transaction.is_zero();
  const std::uint64_t cast = s.votes.ok + s.votes.against;
  std::string why;
  if (by_quorum) {
    why = settled ? say("ok votes reached ", s.votes.ok, " of the ", rules::quorum_power, " needed")
                  : say("votes against reached ", s.votes.against, " of the ", rules::quorum_power,
                        " needed: ", s.votes.reasons());
  } else if (cast < rules::third_power) {
    why = say("only ", cast, " of the ", rules::third_power,
              " needed for a decision had voted when "
              "epoch ",
              e.epoch, " ended, after ", counted(s.claim->extensions, "extension"));
  } else {
    why = say("when epoch ", e.epoch, " ended ", s.votes.ok, " had voted ok and ", s.votes.against,
              " against", s.votes.against > 0 ? say(": ", s.votes.reasons()) : "");
  }
  told.text += say(": ", why);
  told.fields.push_back({"by_quorum", by_quorum});
  told.fields.push_back({"ok_power", s.votes.ok});
  told.fields.push_back({"against_power", s.votes.against});
  s.ending = std::move(why);
}

void tell_missed_reveal(target_story& s, step& told, const event& e) {
  const bool window_over = e.height.value >= s.reveal_by();
  s.ending = window_over
                 ? say("the window of ", counted(s.t.parameters.reveal_window_blocks, "block"),
                       " ended at block ", s.reveal_by())
                 : say("epoch ", e.epoch, ", the one after the claim, ended");
  told.text += say(": ", s.ending);
  told.fields.push_back({"reveal_by_height", s.reveal_by()});
  told.fields.push_back({"window_blocks", s.t.parameters.reveal_window_blocks});
}

step tell(target_story& s, const event& e) {
  s.latest.insert_or_assign(e.kind, e);
  step told = narrate(s.t, e);
  if (e.kind == event_kind::target_opened) tell_opening(s, told);
  if (!s.claim) return told;
  switch (e.kind) {
    case event_kind::target_filled:
      tell_claim(s, told);
      break;
    case event_kind::data_revealed:
      told.text += say(": ", s.claim->data);
      told.fields.push_back({"data", s.claim->data.text()});
      told.fields.push_back({"blob", s.claim->blob.text()});
      break;
    case event_kind::audit_vote_cast:
      tell_vote(s, told, e);
      break;
    case event_kind::target_settled:
    case event_kind::target_slashed:
      tell_decision(s, told, e);
      break;
    case event_kind::reveal_missed:
      tell_missed_reveal(s, told, e);
      break;
    default:
      break;
  }
  return told;
}

std::string told_slash(const target_story& s) {
  if (const auto* missed = s.happened(event_kind::reveal_missed)) {
    return say("nobody was paid: the data was not revealed, ", s.ending, "; the bond of ",
               s.claim->bond, " was burned in block ", missed->height,
               " and the reward went back to the budget (protocol §8.2)");
  }
  const auto* slashed = s.happened(event_kind::target_slashed);
  return say("nobody was paid: ", s.ending, "; of the bond of ", s.claim->bond, " ",
             s.amount_of(event_kind::bond_burned), " was burned",
             slashed != nullptr ? say(" in block ", slashed->height) : "",
             ", the rest went to those who voted against, and the reward back to the budget "
             "(protocol §8.4)");
}

std::string summary_of(const target_story& s) {
  switch (s.row.status) {
    case target_status::open:
      return say("open: nobody has claimed it yet; ", s.row.reward, " is set aside for it");
    case target_status::filled:
      return say("claimed by ", s.claim->submitter, " in block ", s.claim->claimed_at,
                 ": its data is not revealed yet");
    case target_status::revealed:
      return say("claimed by ", s.claim->submitter, " and revealed: the audit is not decided yet");
    case target_status::settled: {
      const auto* settled = s.happened(event_kind::target_settled);
      return say("settled", settled != nullptr ? say(" in block ", settled->height) : "", ": ",
                 s.claim->submitter, " was paid ", s.amount_of(event_kind::submitter_paid), " and ",
                 shown_model(s.t, s.claim->winner), " ", s.amount_of(event_kind::model_paid),
                 " (protocol §8.4)");
    }
    case target_status::slashed:
      return told_slash(s);
    case target_status::expired: {
      const auto* expired = s.happened(event_kind::target_expired);
      return say("nobody was paid: nobody claimed it before epoch ", s.row.epoch, " ended",
                 expired != nullptr ? say(" in block ", expired->height) : "",
                 "; its reward went back to the budget (protocol §9)");
    }
  }
  return {};
}

step reveal_deadline(const target_story& s) {
  const auto last_epoch = s.claim->claimed_in.next();
  const bool over = s.t.chain.height.value >= s.reveal_by() || s.t.chain.epoch > last_epoch;
  if (over) {
    return due_at_end_of(
        s.t, s.t.chain.epoch, "bond_burned_at",
        say("no reveal is possible after block ", s.reveal_by(), " or epoch ", last_epoch,
            ": the bond is burned at the end of epoch ", s.t.chain.epoch),
        "8.2");
  }
  auto due = due_at_end_of(
      s.t, last_epoch, "reveal_due",
      say(s.claim->submitter, " must reveal the data by block ", s.reveal_by(),
          " and before epoch ", last_epoch, " ends, or loses the bond of ", s.claim->bond),
      "8.2");
  due.fields.push_back({"reveal_by_height", s.reveal_by()});
  return due;
}

step audit_deadline(const target_story& s) {
  const auto& c = *s.claim;
  const epoch_number decides{
      std::max(c.claimed_in.value + 1 + c.extensions, s.t.chain.epoch.value)};
  const bool last = c.extensions >= s.t.parameters.max_audit_extensions;
  auto due = due_at_end_of(
      s.t, decides, "audit_decided",
      say("the audit ends as soon as votes of ", rules::quorum_power, " agree (", s.votes.ok,
          " ok and ", s.votes.against, " against so far), else at the end of epoch ", decides,
          " for the side with more power; with fewer than ", rules::third_power, " cast ",
          last ? "it settles then" : "it waits one more epoch", ", extensions so far ",
          std::uint64_t{c.extensions}, " of ", std::uint64_t{s.t.parameters.max_audit_extensions}),
      "8.4");
  due.fields.push_back({"ok_power", s.votes.ok});
  due.fields.push_back({"against_power", s.votes.against});
  due.fields.push_back({"quorum_power", rules::quorum_power});
  due.fields.push_back({"extensions", std::uint64_t{c.extensions}});
  due.fields.push_back({"max_extensions", std::uint64_t{s.t.parameters.max_audit_extensions}});
  return due;
}

std::vector<step> deadlines(const target_story& s) {
  switch (s.row.status) {
    case target_status::open:
      return {due_at_end_of(
          s.t, s.row.epoch, "claim_due",
          say("it expires unless it is claimed before epoch ", s.row.epoch, " ends"), "9")};
    case target_status::filled:
      return {reveal_deadline(s)};
    case target_status::revealed:
      return {audit_deadline(s)};
    default:
      return {};
  }
}

std::vector<field> facts_of(const target_story& s) {
  std::vector<field> facts{{"epoch", s.row.epoch.value},
                           {"opened_height", s.row.opened_at.value},
                           {"reward_shannons", s.row.reward.value},
                           {"radius", unit_distance(s.row.radius_q30)},
                           {"assigned", assigned_ids(s.row)}};
  if (!s.claim) return facts;
  const auto& c = *s.claim;
  const auto add = [&](const char* name, content value) {
    facts.push_back({name, std::move(value)});
  };
  add("submitter", c.submitter.text());
  add("model", c.winner.model.text());
  add("version", std::uint64_t{c.winner.version});
  add("loss", std::bit_cast<float>(c.loss_bits));
  add("distance", unit_distance(c.distance_q30));
  add("size_bytes", c.size_bytes);
  add("bond_shannons", c.bond.value);
  add("claimed_height", c.claimed_at.value);
  add("claimed_epoch", c.claimed_in.value);
  if (c.revealed_at) {
    add("revealed_height", c.revealed_at->value);
    add("data", c.data.text());
    add("blob", c.blob.text());
    add("extensions", std::uint64_t{c.extensions});
    add("ok_power", s.votes.ok);
    add("against_power", s.votes.against);
    add("quorum_power", rules::quorum_power);
  }
  return facts;
}

}  // namespace

std::vector<step> target_deadlines(const telling& t, const target_id& id) {
  const auto row = t.view.target(id);
  if (!row) return {};
  target_story s{t, id, *row, t.view.submission(id)};
  if (s.claim) {
    for (const auto& vote : s.claim->votes) s.votes.add(vote.verdict, vote.power);
  }
  auto steps = deadlines(s);
  for (auto& told : steps) {
    told.text = say("target ", id, ": ", told.text);
    told.fields.push_back({"target", id.text()});
  }
  return steps;
}

expected<explanation, refusal> explain_target(const storage::ledger_view& view, const target_id& id,
                                              const options& how) {
  const auto t = begin_telling(view, how);
  if (!t) return unexpected(refusal::no_ledger);
  const auto row = view.target(id);
  if (!row) return unexpected(refusal::target_unknown);
  target_story s{*t, id, *row, view.submission(id)};
  passage story{"story", "What happened", {}};
  for (const auto& e : oldest_first(*t, id, most_events)) story.steps.push_back(tell(s, e));
  return explanation{"target",      id.text(),   std::string(name_of(row->status)),
                     summary_of(s), facts_of(s), {std::move(story)},
                     deadlines(s)};
}

}  // namespace soma::explain
