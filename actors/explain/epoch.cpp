// Explains an epoch: its time, the targets opened and settled in it, the payments, and the
// validators that took part. Protocol §§2-9.
#include <array>
#include <map>

#include "actors/explain/describe_event.hpp"
#include "actors/explain/names.hpp"
#include "actors/rules/emission.hpp"
#include "messages/codec/codec.hpp"

namespace soma::explain {
namespace {

struct epoch_sum {
  std::uint64_t count = 0;
  shannons amount;
};

struct epoch_record {
  std::map<event_kind, epoch_sum> sums;
  std::map<event_kind, event> latest;        // of the kinds that happen once per epoch
  std::vector<event> validators;             // validators that were paid or absent
  std::vector<event> seats;                  // seats given and lost in the next committee
  std::vector<event> models;                 // changes of models' status
  std::uint64_t audits_without_verdict = 0;  // revealed claims that were void
  std::uint64_t events_read = 0;
  bool complete = true;

  [[nodiscard]] epoch_sum of(event_kind kind) const {
    const auto found = sums.find(kind);
    return found == sums.end() ? epoch_sum{} : found->second;
  }
  [[nodiscard]] const event* last(event_kind kind) const {
    const auto found = latest.find(kind);
    return found == latest.end() ? nullptr : &found->second;
  }
};

void take(const explain_context& context, epoch_record& r, const event& e) {
  auto& s = r.sums[e.kind];
  ++s.count;
  s.amount.value += e.amount.value;
  switch (e.kind) {
    case event_kind::validator_paid:
    case event_kind::validator_absent:
      r.validators.push_back(e);
      break;
    case event_kind::target_voided:
      if (static_cast<void_reason>(e.detail) != void_reason::data_in_use)
        ++r.audits_without_verdict;
      break;
    case event_kind::validator_seated:
    case event_kind::validator_unseated:
      r.seats.push_back(e);
      break;
    case event_kind::model_activated:
    case event_kind::model_update_dropped:
    case event_kind::model_slashed:
    case event_kind::model_retired:
      if (r.models.size() < context.how.listed) r.models.push_back(e);
      break;
    case event_kind::epoch_ended:
    case event_kind::emission_released:
    case event_kind::emission_returned:
    case event_kind::fees_changed:
    case event_kind::difficulty_changed:
      r.latest.insert_or_assign(e.kind, e);
      break;
    default:
      break;
  }
}

epoch_record read_record(const explain_context& context, epoch_number epoch) {
  epoch_record r;
  context.view.events_in(epoch, [&](const event& e) {
    if (r.events_read == context.how.epoch_events) {
      r.complete = false;
      return false;
    }
    ++r.events_read;
    take(context, r, e);
    return true;
  });
  return r;
}

/// Reads the events at the end of an epoch. They set the pot, fee multiplier and difficulty of
/// the next epoch.
epoch_record read_ending(const explain_context& context, epoch_number epoch) {
  epoch_record r;
  const auto closing = context.view.closing_height(epoch);
  if (!closing) return r;
  for (const auto& e : context.view.events_at(*closing)) {
    if (e.epoch == epoch) take(context, r, e);
  }
  return r;
}

struct epoch_story {
  const explain_context& context;
  epoch_number epoch;
  bool running = false;
  std::uint64_t start_ms = 0;
  block_height first{}, last{};  // `last` is the closing block, or the latest block so far
  std::optional<std::uint64_t> end_ms{};
  epoch_record r{};
  epoch_record before{};  // the end of the previous epoch

  [[nodiscard]] std::uint64_t blocks() const {
    return last.value < first.value ? 0 : last.value + 1 - first.value;
  }
  /// The blocks whose signatures count for pay. Every block except the first shows the signatures
  /// for its parent, protocol §5.6.
  [[nodiscard]] std::uint64_t signed_blocks() const { return blocks() > 0 ? blocks() - 1 : 0; }
  /// The audits that were decided in the epoch. Each of them was due by the members that it had
  /// called, protocol §5.7.
  [[nodiscard]] std::uint64_t audits_decided() const {
    return r.of(event_kind::target_settled).count + r.of(event_kind::target_slashed).count +
           r.audits_without_verdict;
  }
  [[nodiscard]] std::uint64_t multiplier_before() const {
    const auto* e = before.last(event_kind::fees_changed);
    if (running) return context.chain.fee_multiplier_ppm;
    return e != nullptr ? e->detail : context.parameters.fee_multiplier_start_ppm;
  }
  [[nodiscard]] std::int64_t difficulty_before() const {
    const auto* e = before.last(event_kind::difficulty_changed);
    if (running) return context.chain.difficulty_ppm;
    return e != nullptr ? static_cast<std::int64_t>(e->detail)
                        : context.parameters.difficulty_start_ppm;
  }
  [[nodiscard]] shannons pot_at_start() const {
    const auto* e = before.last(event_kind::epoch_ended);
    return e != nullptr ? e->amount : shannons{};
  }
};

std::uint64_t time_of(const explain_context& context, block_height height) {
  const auto found = context.view.block_at(height);
  return found ? found->header.time_ms : 0;
}

epoch_story begin(const explain_context& context, epoch_number epoch) {
  epoch_story s{context, epoch};
  s.running = epoch == context.chain.epoch;
  const auto opened =
      epoch.value == 0 ? std::nullopt : context.view.closing_height({epoch.value - 1});
  s.start_ms = s.running ? context.chain.epoch_start_ms
               : opened  ? time_of(context, *opened)
                         : context.start_ms;
  s.first = opened ? opened->next() : block_height{1};
  s.last = context.view.closing_height(epoch).value_or(context.chain.height);
  if (!s.running) s.end_ms = time_of(context, s.last);
  s.r = read_record(context, epoch);
  if (epoch.value > 0) s.before = read_ending(context, {epoch.value - 1});
  return s;
}

struct count_line {
  event_kind kind;
  const char* noun;    // in the singular; an s is added for the plural
  const char* rest;    // the sentence after the noun
  const char* amount;  // the text before the sum of amounts; empty when no sum is shown
};
constexpr std::array target_lines{
    count_line{event_kind::target_opened, "target", " opened", ", set aside "},
    count_line{event_kind::target_filled, "target", " claimed", ", bonds "},
    count_line{event_kind::data_revealed, "target", " revealed", ""},
    count_line{event_kind::target_settled, "target", " settled", ", rewards "},
    count_line{event_kind::target_slashed, "target", " rejected by votes", ", bonds "},
    count_line{event_kind::target_voided, "claim", " void", ", bonds "},
    count_line{event_kind::reveal_missed, "target", " not revealed in time", ", bonds "},
    count_line{event_kind::target_expired, "target", " expired", ""},
    count_line{event_kind::audit_extended, "target", " put off for want of a quorum", ""},
};
constexpr std::array money_lines{
    count_line{event_kind::submitter_paid, "payment", " to submitters", ": "},
    count_line{event_kind::model_paid, "payment", " to models and their owners", ": "},
    count_line{event_kind::voter_paid, "payment", " to voters", ": "},
    count_line{event_kind::validator_paid, "payment", " to validators", ": "},
    count_line{event_kind::reporter_paid, "payment", " for reports of equivocation", ": "},
    count_line{event_kind::bond_returned, "bond", " returned", ": "},
    count_line{event_kind::bond_burned, "bond", " burned", ": "},
    count_line{event_kind::model_slashed, "model", " slashed", ": "},
    count_line{event_kind::validator_slashed, "validator", " slashed", ": "},
    count_line{event_kind::stake_joined, "deposit", " joined a pool", ": "},
    count_line{event_kind::stake_left, "withdrawal", " left a pool", ": "},
    count_line{event_kind::stake_paid_out, "withdrawal", " paid out", ": "},
    count_line{event_kind::transaction_applied, "transaction", " applied, fees burned", ": "},
    count_line{event_kind::transaction_refused, "transaction", " refused, fees burned", ": "},
};

step counted_step(const count_line& line, const epoch_sum& s) {
  step described{std::string(name_of(line.kind)),
                 format_text(format_count(s.count, line.noun), line.rest),
                 std::nullopt,
                 std::string(section_of(line.kind)),
                 {{"count", s.count}}};
  if (*line.amount == '\0') return described;
  described.text += format_text(line.amount, s.amount);
  described.fields.push_back({"amount_shannons", s.amount.value});
  return described;
}

template <class Lines>
passage describe_counts(const epoch_record& r, const Lines& lines, std::string name,
                        std::string title) {
  passage described{std::move(name), std::move(title), {}};
  for (const auto& line : lines) {
    if (const auto s = r.of(line.kind); s.count > 0)
      described.steps.push_back(counted_step(line, s));
  }
  return described;
}

/// The event with the blocks and votes that were due. For an absent validator it says which half it
/// missed.
step describe_part(const epoch_story& s, const event& e) {
  step described = describe_event(s.context, e);
  const std::uint64_t blocks = e.detail >> 32;
  const std::uint64_t votes = e.detail & 0xffff'ffff;
  described.fields.push_back({"blocks", s.signed_blocks()});
  described.fields.push_back({"audits_due", e.audits_due});
  described.text += format_text(", of ", format_count(s.signed_blocks(), "block"), " and ",
                                format_count(e.audits_due, "audit vote"), " due");
  if (e.kind != event_kind::validator_absent) return described;
  const bool few_blocks = blocks < (s.signed_blocks() + 1) / 2;
  const bool few_votes = votes < (e.audits_due + 1) / 2;
  described.text += format_text(": fewer than half of the ", few_blocks ? "blocks" : "",
                                few_blocks && few_votes ? " and of the " : "",
                                few_votes || !few_blocks ? "audit votes" : "");
  described.fields.push_back({"too_few_blocks", few_blocks});
  described.fields.push_back({"too_few_votes", few_votes});
  return described;
}

passage describe_validators(const epoch_story& s) {
  passage described{"validators", "Validators", {}};
  for (const auto& e : s.r.validators) described.steps.push_back(describe_part(s, e));
  const auto stored = s.running ? s.context.view.find_row(committee_key()) : std::nullopt;
  const auto row =
      stored ? decode<committee_row>(*stored) : expected<committee_row, parse_refusal>{};
  if (!stored || !row) return described;
  for (const auto& seat : row->seats) {
    described.steps.push_back(
        {"seat",
         format_text("validator ", seat.member, " with power ", std::uint64_t{seat.power.value},
                     " signed ", seat.blocks_signed, " of ",
                     format_count(s.signed_blocks(), "block"), " and cast ", seat.audits_cast,
                     " of ", format_count(seat.audits_due, "audit vote"), " due so far"),
         std::nullopt,
         "5",
         {{"account", seat.member.text()},
          {"power", std::uint64_t{seat.power.value}},
          {"blocks_signed", seat.blocks_signed},
          {"blocks", s.signed_blocks()},
          {"audits_cast", seat.audits_cast},
          {"audits_due", seat.audits_due}}});
  }
  return described;
}

passage describe_list(const explain_context& context, const std::vector<event>& events,
                      std::string name, std::string title) {
  passage described{std::move(name), std::move(title), {}};
  for (const auto& e : events) described.steps.push_back(describe_event(context, e));
  return described;
}

step pot_step(const epoch_story& s) {
  step described{"pot",
                 format_text("the pot of the targets began with ", s.pot_at_start()),
                 std::nullopt,
                 "3",
                 {{"at_start_shannons", s.pot_at_start().value}}};
  if (!s.running) return described;
  const auto& chain = s.context.chain;
  const auto reward = rules::target_reward(s.context.parameters, chain);
  described.text += format_text(" and has ", chain.target_pot, ", after ", chain.flowed,
                                " of new emission; a target that opens now is worth one part in ",
                                rules::pot_parts(s.context.parameters), " of it, ", reward);
  if (chain.targets_waiting > 0) {
    described.text += format_text("; ", format_count(chain.targets_waiting, "target"),
                                  " wait for the pot or for a model");
  }
  described.fields.push_back({"pot_shannons", chain.target_pot.value});
  described.fields.push_back({"flowed_shannons", chain.flowed.value});
  described.fields.push_back({"reward_per_target_shannons", reward.value});
  described.fields.push_back({"targets_waiting", chain.targets_waiting});
  return described;
}

/// The pot, emission, fees and difficulty during the epoch and after its end.
passage describe_rules(const epoch_story& s) {
  passage described{"rules", "Pot, fees and difficulty", {pot_step(s)}};
  for (const auto kind :
       {event_kind::emission_released, event_kind::emission_returned, event_kind::fees_changed,
        event_kind::difficulty_changed, event_kind::epoch_ended}) {
    const auto* e = s.r.last(kind);
    if (e == nullptr) continue;
    step one = describe_event(s.context, *e);
    if (kind == event_kind::fees_changed) {
      one.text += format_text(
          " (before: ", format_decimal(static_cast<double>(s.multiplier_before()) / 1e6), ")");
      one.fields.push_back({"multiplier_before_ppm", s.multiplier_before()});
    }
    if (kind == event_kind::difficulty_changed) {
      one.text += format_text(
          " (before: ", format_decimal(static_cast<double>(s.difficulty_before()) / 1e6), ")");
      one.fields.push_back({"difficulty_before_ppm", s.difficulty_before()});
    }
    described.steps.push_back(std::move(one));
  }
  return described;
}

std::string summary_of(const epoch_story& s) {
  const auto settled = s.r.of(event_kind::target_settled).count;
  const auto what = format_text(format_count(s.r.of(event_kind::target_opened).count, "target"),
                                " opened, ", settled, " settled");
  if (s.running) {
    return format_text("epoch ", s.epoch, " has been running since ", format_time(s.start_ms), ", ",
                       format_count(s.blocks(), "block"), " so far: ", what);
  }
  return format_text("epoch ", s.epoch, " lasted from ", format_time(s.start_ms), " to ",
                     format_time(*s.end_ms), ", blocks ", s.first, " to ", s.last, ": ", what);
}

std::vector<field> facts_of(const epoch_story& s) {
  std::vector<field> facts{{"start_ms", s.start_ms},
                           {"first_height", s.first.value},
                           {"last_height", s.last.value},
                           {"blocks", s.blocks()},
                           {"audits_decided", s.audits_decided()},
                           {"multiplier_ppm", s.multiplier_before()},
                           {"difficulty_ppm", s.difficulty_before()},
                           {"events_read", s.r.events_read},
                           {"events_complete", s.r.complete}};
  if (s.end_ms) facts.push_back({"end_ms", *s.end_ms});
  return facts;
}

}  // namespace

expected<explanation, refusal> explain_epoch(const tables::ledger_view& view, epoch_number epoch,
                                             const options& how) {
  const auto context = open_context(view, how);
  if (!context) return unexpected(refusal::no_ledger);
  if (epoch > context->chain.epoch) return unexpected(refusal::epoch_to_come);
  const auto s = begin(*context, epoch);
  explanation described{
      "epoch",
      std::to_string(epoch.value),
      s.running ? "running" : "ended",
      summary_of(s),
      facts_of(s),
      {describe_rules(s), describe_counts(s.r, target_lines, "targets", "Targets"),
       describe_counts(s.r, money_lines, "money", "Money"), describe_validators(s),
       describe_list(*context, s.r.seats, "committee", "The next committee"),
       describe_list(*context, s.r.models, "models", "Models")},
      {}};
  if (s.running) {
    described.next.push_back(due_at_end_of(*context, epoch, "epoch_ends",
                                           "the first block that is late enough ends it", "9"));
  }
  return described;
}

}  // namespace soma::explain
