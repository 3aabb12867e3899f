// Explains a target from its opening to its last payment, protocol §§7-9.
#include <algorithm>
#include <bit>
#include <map>

#include "actors/explain/audits.hpp"
#include "actors/explain/deadlines.hpp"
#include "actors/explain/describe_event.hpp"
#include "actors/explain/names.hpp"
#include "actors/ledger/vote_tally.hpp"
#include "actors/rules/arithmetic.hpp"
#include "actors/rules/audit.hpp"
#include "actors/rules/claims.hpp"

namespace soma::explain {
namespace {

/// The most events read of one target. Its votes are bounded and its other events are few.
constexpr std::size_t most_events = 8'192;

struct tally {
  std::uint64_t ok = 0, against = 0;
  std::map<audit_verdict, std::uint64_t> by_verdict;  // the power that voted for each verdict

  void add(audit_verdict verdict, std::uint64_t power) {
    (verdict == audit_verdict::ok ? ok : against) += power;
    by_verdict[verdict] += power;
  }
  /// The votes against: "3334 `wrong_loss` and 3333 `unavailable`".
  [[nodiscard]] std::string reasons() const {
    std::string text;
    for (const auto& [verdict, power] : by_verdict) {
      if (verdict == audit_verdict::ok) continue;
      text += format_text(text.empty() ? "" : " and ", power, " `", name_of(verdict), "`");
    }
    return text;
  }
};

struct target_story {
  const explain_context& context;
  target_id id;
  target_row row;
  std::optional<submission_row> claim;
  tally votes{};
  std::map<event_kind, event> latest{};  // the latest event of each kind
  std::string ending{};                  // the reason why it was settled or slashed

  [[nodiscard]] std::uint64_t reveal_by() const {
    return claim->claimed_at.value + context.parameters.reveal_window_blocks;
  }
  /// A reveal may come up to this time, too, if that is later.
  [[nodiscard]] std::uint64_t reveal_until_ms() const {
    return claim->claimed_ms + context.parameters.epoch_ms / rules::short_wait_part;
  }
  [[nodiscard]] const event* happened(event_kind kind) const {
    const auto found = latest.find(kind);
    return found == latest.end() ? nullptr : &found->second;
  }
  [[nodiscard]] std::string amount_of(event_kind kind) const {
    const auto* e = happened(kind);
    return format_value(e != nullptr ? e->amount : shannons{});
  }
};

std::vector<std::string> assigned_ids(const target_row& row) {
  std::vector<std::string> ids;
  for (const auto& ref : row.assigned)
    ids.push_back(ref.model.text() + ":" + std::to_string(ref.version));
  return ids;
}

void describe_opening(const target_story& s, step& described) {
  std::string assigned;
  for (const auto& ref : s.row.assigned)
    assigned += (assigned.empty() ? "" : ", ") + format_model(s.context, ref);
  described.text +=
      format_text("; a claim needs a distance of at most ",
                  format_decimal(unit_distance(s.row.radius_q30)), " and one of ", assigned);
  described.fields.push_back({"radius", unit_distance(s.row.radius_q30)});
  described.fields.push_back({"assigned", assigned_ids(s.row)});
}

void describe_claim(const target_story& s, step& described) {
  const auto& c = *s.claim;
  const float loss = std::bit_cast<float>(c.loss_bits);
  described.text += format_text("; loss ", format_decimal(loss), ", distance ",
                                format_decimal(unit_distance(c.distance_q30)), ", ",
                                format_count(c.size_bytes, "byte"));
  described.fields.push_back({"loss", loss});
  described.fields.push_back({"distance", unit_distance(c.distance_q30)});
  described.fields.push_back({"size_bytes", c.size_bytes});
  described.fields.push_back({"reveal_by_height", s.reveal_by()});
}

void describe_vote(target_story& s, step& described, const event& e) {
  for (const auto& vote : s.claim->votes) {
    if (vote.voter != e.account) continue;
    s.votes.add(vote.verdict, vote.power.value);
    described.fields.push_back({"power", std::uint64_t{vote.power.value}});
  }
  described.text += format_text(": ", s.votes.ok, " ok and ", s.votes.against, " against so far, ",
                                format_threshold(*s.claim));
  described.fields.push_back({"ok_power", s.votes.ok});
  described.fields.push_back({"against_power", s.votes.against});
}

/// Adds the reason why the audit ended as it did. A quorum decided an event that belongs to a
/// transaction; the end of an epoch decided an event without one, and weighed all votes anew.
void describe_decision(target_story& s, step& described, const event& e) {
  const bool settled = e.kind == event_kind::target_settled;
  const bool by_quorum = !e.transaction.is_zero();
  std::string why;
  if (by_quorum) {
    why = settled && s.votes.ok < rules::quorum_power.value
              ? format_text("at least ", std::uint64_t{rules::settling_draws}, " of the ",
                            std::uint64_t{rules::audit_draws},
                            " draws of its sample fell on members who voted ok, and nobody "
                            "voted against")
          : settled ? format_text("ok votes reached ", s.votes.ok, " of the ",
                                  rules::quorum_power.value, " needed")
                    : format_text("votes against reached ", s.votes.against, " of the ",
                                  rules::quorum_power.value, " needed: ", s.votes.reasons());
  } else {
    why = format_text("when epoch ", e.epoch, " ended ", s.votes.ok, " had voted ok and ",
                      s.votes.against, " against",
                      s.votes.against > 0 ? format_text(": ", s.votes.reasons()) : "", ", ",
                      rules::quorum_power.value, " decide, after ",
                      format_count(s.claim->extensions, "extension"));
  }
  described.text += format_text(": ", why);
  described.fields.push_back({"by_quorum", by_quorum});
  described.fields.push_back({"sampled", s.claim->sampled});
  described.fields.push_back({"ok_power", s.votes.ok});
  described.fields.push_back({"against_power", s.votes.against});
  s.ending = std::move(why);
}

void describe_missed_reveal(target_story& s, step& described, const event& e) {
  const bool window_over = e.height.value >= s.reveal_by();
  s.ending = window_over
                 ? format_text("the window of ",
                               format_count(s.context.parameters.reveal_window_blocks, "block"),
                               " ended at block ", s.reveal_by())
                 : format_text("epoch ", e.epoch, ", the one after the claim, ended");
  described.text += format_text(": ", s.ending);
  described.fields.push_back({"reveal_by_height", s.reveal_by()});
  described.fields.push_back({"window_blocks", s.context.parameters.reveal_window_blocks});
}

step describe(target_story& s, const event& e) {
  s.latest.insert_or_assign(e.kind, e);
  step described = describe_event(s.context, e);
  if (e.kind == event_kind::target_opened) describe_opening(s, described);
  if (!s.claim) return described;
  switch (e.kind) {
    case event_kind::target_filled:
      describe_claim(s, described);
      break;
    case event_kind::data_revealed:
      described.text += format_text(": ", s.claim->data);
      described.fields.push_back({"data", s.claim->data.text()});
      described.fields.push_back({"blob", s.claim->blob.text()});
      break;
    case event_kind::audit_vote_cast:
      describe_vote(s, described, e);
      break;
    case event_kind::target_settled:
    case event_kind::target_slashed:
      describe_decision(s, described, e);
      break;
    case event_kind::target_voided:
      if (static_cast<void_reason>(e.detail) != void_reason::data_in_use)
        describe_decision(s, described, e);
      break;
    case event_kind::reveal_missed:
      describe_missed_reveal(s, described, e);
      break;
    default:
      break;
  }
  return described;
}

std::string describe_slash(const target_story& s) {
  if (const auto* missed = s.happened(event_kind::reveal_missed)) {
    return format_text("nobody was paid: the data was not revealed, ", s.ending, "; the bond of ",
                       s.claim->bond, " was burned in block ", missed->height,
                       " and the reward went back to the pot (protocol §8.2)");
  }
  const auto* slashed = s.happened(event_kind::target_slashed);
  return format_text("nobody was paid: ", s.ending, "; of the bond of ", s.claim->bond, " ",
                     s.amount_of(event_kind::bond_burned), " was burned",
                     slashed != nullptr ? format_text(" in block ", slashed->height) : "",
                     ", the rest went to those who voted against, and the reward back to the pot "
                     "(protocol §8.4)");
}

std::string describe_void(const target_story& s) {
  const auto* voided = s.happened(event_kind::target_voided);
  const auto reason =
      voided != nullptr ? static_cast<void_reason>(voided->detail) : void_reason::undecided;
  return format_text(
      "nobody was paid: ",
      reason == void_reason::data_in_use
          ? format_text("another submitter revealed the data ", s.claim->data, " since the claim")
          : s.ending,
      "; the bond of ", s.claim->bond,
      reason == void_reason::unavailable ? " was burned" : " went back to the submitter",
      voided != nullptr ? format_text(" in block ", voided->height) : "",
      ", and the reward back to the budget (protocol §8.4)");
}

std::string summary_of(const target_story& s) {
  switch (s.row.status) {
    case target_status::open:
      return format_text("open: nobody has claimed it yet; ", s.row.reward, " is set aside for it");
    case target_status::filled:
      return format_text("claimed by ", s.claim->submitter, " in block ", s.claim->claimed_at,
                         ": its data is not revealed yet");
    case target_status::revealed:
      return format_text("claimed by ", s.claim->submitter,
                         " and revealed: the audit is not decided yet");
    case target_status::settled: {
      const auto* settled = s.happened(event_kind::target_settled);
      return format_text("settled",
                         settled != nullptr ? format_text(" in block ", settled->height) : "", ": ",
                         s.claim->submitter, " was paid ", s.amount_of(event_kind::submitter_paid),
                         " and ", format_model(s.context, s.claim->winner), " ",
                         s.amount_of(event_kind::model_paid), " (protocol §8.4)");
    }
    case target_status::slashed:
      return describe_slash(s);
    case target_status::voided:
      return describe_void(s);
    case target_status::expired: {
      const auto* expired = s.happened(event_kind::target_expired);
      return format_text("nobody was paid: nobody claimed it before epoch ", s.row.epoch, " ended",
                         expired != nullptr ? format_text(" in block ", expired->height) : "",
                         "; its reward went back to the pot (protocol §9)");
    }
  }
  return {};
}

step reveal_deadline(const target_story& s) {
  const auto last_epoch = s.claim->claimed_in.next();
  const auto& chain = s.context.chain;
  const bool window_over =
      chain.height.value >= s.reveal_by() && chain.time_ms >= s.reveal_until_ms();
  const bool over = window_over || chain.epoch > last_epoch;
  if (over) {
    return due_at_end_of(
        s.context, s.context.chain.epoch, "bond_burned_at",
        format_text("no reveal is possible after block ", s.reveal_by(), " or epoch ", last_epoch,
                    ": the bond is burned at the end of epoch ", s.context.chain.epoch),
        "8.2");
  }
  auto due =
      due_at_end_of(s.context, last_epoch, "reveal_due",
                    format_text(s.claim->submitter, " must reveal the data by block ",
                                s.reveal_by(), " or until ", format_time(s.reveal_until_ms()),
                                ", whichever is later, and before epoch ", last_epoch,
                                " ends, or loses the bond of ", s.claim->bond),
                    "8.2");
  due.fields.push_back({"reveal_by_height", s.reveal_by()});
  return due;
}

step audit_deadline(const target_story& s) {
  const auto& c = *s.claim;
  const epoch_number decides{
      std::max(c.claimed_in.value + 1 + c.extensions, s.context.chain.epoch.value)};
  const bool last = c.extensions >= s.context.parameters.max_audit_extensions;
  const auto call = call_of(s.context, c);
  auto due = due_at_end_of(
      s.context, decides, "audit_decided",
      format_text(format_call(call), "the audit ends as soon as votes of ",
                  rules::quorum_power.value, " agree (", s.votes.ok, " ok and ", s.votes.against,
                  " against so far); if none agree at the end of epoch ", decides, ", ",
                  last ? "the claim is void and the bond goes back" : "it waits one more epoch",
                  ", extensions so far ", std::uint64_t{c.extensions}, " of ",
                  std::uint64_t{s.context.parameters.max_audit_extensions}),
      "8.4");
  due.fields.push_back({"ok_power", s.votes.ok});
  due.fields.push_back({"against_power", s.votes.against});
  due.fields.push_back({"quorum_power", std::uint64_t{rules::quorum_power.value}});
  const auto called = fields_of(call);
  due.fields.insert(due.fields.end(), called.begin(), called.end());
  due.fields.push_back({"extensions", std::uint64_t{c.extensions}});
  due.fields.push_back(
      {"max_extensions", std::uint64_t{s.context.parameters.max_audit_extensions}});
  return due;
}

std::vector<step> deadlines(const target_story& s) {
  switch (s.row.status) {
    case target_status::open:
      return {due_at_end_of(
          s.context, s.row.epoch, "claim_due",
          format_text("it expires unless it is claimed before epoch ", s.row.epoch, " ends"), "9")};
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
                           {"assigned", assigned_ids(s.row)},
                           {"largest_data_bytes", rules::largest_data_bytes(s.context.parameters)}};
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
    add("sampled", c.sampled);
    add("ok_power", s.votes.ok);
    add("against_power", s.votes.against);
    add("quorum_power", std::uint64_t{rules::quorum_power.value});
  }
  return facts;
}

}  // namespace

std::vector<step> target_deadlines(const explain_context& context, const target_id& id) {
  const auto row = context.view.target(id);
  if (!row) return {};
  target_story s{context, id, *row, context.view.submission(id)};
  if (s.claim) {
    const auto present = present_committee(context);
    for (const auto& vote : s.claim->votes)
      s.votes.add(vote.verdict, ledger::power_of(present, vote.voter).value);
  }
  auto steps = deadlines(s);
  for (auto& described : steps) {
    described.text = format_text("target ", id, ": ", described.text);
    described.fields.push_back({"target", id.text()});
  }
  return steps;
}

expected<explanation, refusal> explain_target(const tables::ledger_view& view, const target_id& id,
                                              const options& how) {
  const auto context = open_context(view, how);
  if (!context) return unexpected(refusal::no_ledger);
  const auto row = view.target(id);
  if (!row) return unexpected(refusal::target_unknown);
  target_story s{*context, id, *row, view.submission(id)};
  passage story{"story", "What happened", {}};
  for (const auto& e : oldest_first(*context, id, most_events))
    story.steps.push_back(describe(s, e));
  return explanation{"target",      id.text(),   std::string(name_of(row->status)),
                     summary_of(s), facts_of(s), {std::move(story)},
                     deadlines(s)};
}

}  // namespace soma::explain
