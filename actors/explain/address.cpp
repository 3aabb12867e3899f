// Explains an address: what it holds, what it earned and lost, which of its transactions were
// refused, and its coming deadlines.
#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "actors/explain/deadlines.hpp"
#include "actors/explain/describe_event.hpp"
#include "actors/explain/names.hpp"
#include "actors/explain/positions.hpp"
#include "messages/codec/codec.hpp"

namespace soma::explain {
namespace {

struct event_sum {
  std::uint64_t count = 0;
  shannons amount;
  void add(shannons more) {
    ++count;
    amount.value += more.value;
  }
};

struct address_record {
  std::map<event_kind, event_sum> as_account;  // events whose `account` is the address
  event_sum sent;                              // transfers to other accounts
  std::set<stake_position> positions;
  std::vector<model_id> models;         // models that it committed, the latest first
  std::vector<target_id> claims;        // claims that may still be undecided, the latest first
  std::vector<event> refusals, latest;  // the latest first
  std::uint64_t events_read = 0;
  bool complete = true;
};

bool is_stake(event_kind kind) {
  return kind >= event_kind::stake_added && kind <= event_kind::stake_paid_out;
}

/// Whether a claim may still be undecided. Every older claim is decided, in one way or another.
bool may_wait(const explain_context& context, const event& claim) {
  return claim.epoch.value + 2 + context.parameters.max_audit_extensions >=
         context.chain.epoch.value;
}

void take(const explain_context& context, const address& id, address_record& r, const event& e) {
  const auto listed = context.how.listed;
  if (e.kind != event_kind::transaction_applied && r.latest.size() < listed) r.latest.push_back(e);
  if (e.kind == event_kind::transferred && e.other == id) r.sent.add(e.amount);
  if (e.account != id) return;
  // The stake of an update is a deposit, which has an event of its own, so it is not added twice.
  const bool is_update = e.kind == event_kind::model_committed && e.model.version > 1;
  r.as_account[e.kind].add(is_update ? shannons{} : e.amount);
  if (is_stake(e.kind)) r.positions.insert({pool_of(e), id});
  if (e.kind == event_kind::model_committed &&
      std::ranges::find(r.models, e.model.model) == r.models.end() && r.models.size() < listed) {
    r.models.push_back(e.model.model);
  }
  if (e.kind == event_kind::target_filled && may_wait(context, e)) r.claims.push_back(e.target);
  if (e.kind == event_kind::transaction_refused && r.refusals.size() < listed)
    r.refusals.push_back(e);
}

address_record read_record(const explain_context& context, const address& id) {
  address_record r;
  context.view.visit_events_of(id, [&](const event& e) {
    if (r.events_read == context.how.events) {
      r.complete = false;
      return false;
    }
    ++r.events_read;
    take(context, id, r, e);
    return true;
  });
  return r;
}

struct money_line {
  event_kind kind;
  const char* text;  // the number of times follows it
};

// When a pool is paid, its owner gets the commission and the rest stays in the pool.
constexpr std::array received{
    money_line{event_kind::submitter_paid, "paid as submitter"},
    money_line{event_kind::model_paid, "paid to its models, commission and pool together"},
    money_line{event_kind::voter_paid, "paid for votes against what was rejected"},
    money_line{event_kind::validator_paid, "paid as validator, commission and pool together"},
    money_line{event_kind::reporter_paid, "paid for reports of equivocation"},
    money_line{event_kind::transferred, "received from others"},
    money_line{event_kind::bond_returned, "of bonds returned"},
    money_line{event_kind::stake_paid_out, "of stake paid out"},
    money_line{event_kind::stake_returned, "of deposits returned"},
};
constexpr std::array given{
    money_line{event_kind::target_filled, "locked as bonds of claims"},
    money_line{event_kind::bond_burned, "of its bonds burned"},
    money_line{event_kind::stake_added, "deposited into pools"},
    money_line{event_kind::model_committed, "of own stake given to models"},
    money_line{event_kind::model_slashed, "slashed from its models"},
    money_line{event_kind::validator_slashed, "slashed for equivocation"},
    money_line{event_kind::validator_absent, "not paid because it did not take part"},
    money_line{event_kind::transaction_applied, "burned as fees of applied transactions"},
    money_line{event_kind::transaction_refused, "burned as fees of refused transactions"},
};

step describe_sum(std::string what, std::string section, const char* text, const event_sum& s) {
  return {std::move(what),
          format_text(s.amount, " ", text, ", ", format_count(s.count, "time")),
          std::nullopt,
          std::move(section),
          {{"count", s.count}, {"amount_shannons", s.amount.value}}};
}

template <class Lines>
passage describe_money(const address_record& r, const Lines& lines, std::string name,
                       std::string title) {
  passage described{std::move(name), std::move(title), {}};
  for (const auto& line : lines) {
    const auto found = r.as_account.find(line.kind);
    if (found == r.as_account.end()) continue;
    described.steps.push_back(describe_sum(std::string(name_of(line.kind)),
                                           std::string(section_of(line.kind)), line.text,
                                           found->second));
  }
  return described;
}

passage describe_stakes(const explain_context& context, const address_record& r,
                        std::vector<step>& next) {
  passage described{"stakes", "Stakes", {}};
  for (const auto& position : r.positions) {
    const auto pool = find_pool(context.view, position.pool);
    if (!pool) continue;
    const auto row = find_position(context.view, position);
    // A holder without a row has left the pool. The owner is an exception: the owner's shares stand
    // in the row of the pool.
    if (!row && pool->owner != position.holder) continue;
    described.steps.push_back(
        describe_position(context, position, *pool, row.value_or(stake_row{})));
    for (auto& due : position_deadlines(context, position, row.value_or(stake_row{})))
      next.push_back(std::move(due));
  }
  return described;
}

passage describe_models(const explain_context& context, const address_record& r,
                        std::vector<step>& next) {
  passage described{"models", "Models", {}};
  for (const auto& id : r.models) {
    const auto row = context.view.model(id);
    if (!row) continue;
    described.steps.push_back({"model",
                               format_text(format_model(context, {id, row->active_version}), ": ",
                                           name_of(row->status), ", stake ", row->pool.stake),
                               std::nullopt,
                               "6",
                               {{"model", id.text()},
                                {"status", std::string(name_of(row->status))},
                                {"active_version", std::uint64_t{row->active_version}},
                                {"stake_shannons", row->pool.stake.value}}});
    for (auto& due : model_deadlines(context, id, *row)) {
      due.text = format_text(format_model(context, {id, 0}), ": ", due.text);
      due.fields.push_back({"model", id.text()});
      next.push_back(std::move(due));
    }
  }
  return described;
}

void describe_seat(const explain_context& context, const committee_seat& seat, passage& described,
                   std::vector<step>& next) {
  const auto in_epoch = context.chain.height.value + 1 - context.chain.epoch_first_block.value;
  // A block's signatures stand in a later block, so the latest block does not count yet.
  const auto blocks = in_epoch > 0 ? in_epoch - 1 : 0;
  const auto so_far = format_text("signed ", seat.blocks_signed, " of ",
                                  format_count(blocks, "block"), " and cast ", seat.audits_cast,
                                  " of ", format_count(seat.audits_due, "audit vote"),
                                  " due in epoch ", context.chain.epoch, " so far");
  const std::vector<field> fields{{"power", std::uint64_t{seat.power.value}},
                                  {"blocks_signed", seat.blocks_signed},
                                  {"blocks", blocks},
                                  {"audits_cast", seat.audits_cast},
                                  {"audits_due", seat.audits_due}};
  described.steps.push_back(
      {"seat",
       format_text("it has a seat with power ", std::uint64_t{seat.power.value},
                   " of 10000 and has ", so_far),
       std::nullopt, "5", fields});
  auto due =
      due_at_end_of(context, context.chain.epoch, "participation",
                    format_text("to be paid for epoch ", context.chain.epoch,
                                " it must sign at least half of its blocks and cast at least half "
                                "of the audit votes due: it ",
                                so_far),
                    "5");
  due.fields.insert(due.fields.end(), fields.begin(), fields.end());
  next.push_back(std::move(due));
}

void describe_wish(const explain_context& context, const validator_row& row, bool seated,
                   std::vector<step>& next) {
  const auto now = context.chain.epoch;
  if (row.wants_seat && !seated) {
    next.push_back(due_at_end_of(
        context, now, "seat_decided",
        format_text("it gets a seat at the end of epoch ", now, " if its own stake is at least ",
                    context.parameters.min_validator_stake, " and its pool is among the ",
                    std::uint64_t{context.parameters.committee_size}, " largest"),
        "5"));
  }
  if (!row.wants_seat && seated) {
    next.push_back(due_at_end_of(context, now, "seat_ends",
                                 format_text("its seat ends with epoch ", now), "5"));
  }
  if (row.rejoin_from > now) {
    next.push_back(due_at_end_of(
        context, {row.rejoin_from.value - 1}, "may_join_again",
        format_text("after its equivocation it may join again from epoch ", row.rejoin_from, " on"),
        "5"));
  }
}

passage describe_validator(const explain_context& context, const address& id,
                           const validator_row& row, std::vector<step>& next) {
  passage described{"validator", "Validator", {}};
  described.steps.push_back(describe_pool(context, id, row.pool, row.commission_bps));
  const auto committee = present_committee(context);
  bool seated = false;
  for (const auto& seat : committee.seats) {
    if (seat.member != id) continue;
    seated = true;
    describe_seat(context, seat, described, next);
  }
  describe_wish(context, row, seated, next);
  if (row.commission_bps != row.next_commission_bps) {
    next.push_back(
        due_at_end_of(context, context.chain.epoch, "commission_changes",
                      format_text("its commission becomes ", std::uint64_t{row.next_commission_bps},
                                  " basis points"),
                      "4"));
  }
  return described;
}

void wait_for_claims(const explain_context& context, const address_record& r,
                     std::vector<step>& next) {
  std::size_t shown_claims = 0;
  for (const auto& target : r.claims) {
    auto due = target_deadlines(context, target);
    if (due.empty()) continue;
    if (++shown_claims > context.how.listed) return;
    for (auto& one : due) next.push_back(std::move(one));
  }
}

passage describe_events(const explain_context& context, const std::vector<event>& events,
                        std::string name, std::string title) {
  passage described{std::move(name), std::move(title), {}};
  for (auto e = events.rbegin(); e != events.rend(); ++e)
    described.steps.push_back(describe_event(context, *e));
  return described;
}

shannons amount_of(const address_record& r, event_kind kind) {
  const auto found = r.as_account.find(kind);
  return found == r.as_account.end() ? shannons{} : found->second.amount;
}

std::string summary_of(const address& id, const account_row& account, const address_record& r) {
  std::string text = format_text(id, " has ", account.balance, " and sent ",
                                 format_count(account.nonce, "transaction"));
  const auto add = [&](event_kind kind, const char* how) {
    if (const auto amount = amount_of(r, kind); amount.value > 0)
      text += format_text("; ", amount, " ", how);
  };
  add(event_kind::submitter_paid, "paid to it as submitter");
  add(event_kind::model_paid, "paid to its models");
  add(event_kind::validator_paid, "paid to it as validator");
  add(event_kind::voter_paid, "paid for its votes");
  return text;
}

}  // namespace

expected<explanation, refusal> explain_address(const tables::ledger_view& view, const address& id,
                                               const options& how) {
  const auto context = open_context(view, how);
  if (!context) return unexpected(refusal::no_ledger);
  const auto account = view.account(id);
  const auto validator = view.validator(id);
  const auto r = read_record(*context, id);
  if (!account && !validator && r.events_read == 0) return unexpected(refusal::address_unknown);
  const auto held = account.value_or(account_row{});
  explanation described{"address",
                        id.text(),
                        validator ? "validator"
                        : account ? "account"
                                  : "no account",
                        summary_of(id, held, r),
                        {{"balance_shannons", held.balance.value},
                         {"nonce", held.nonce},
                         {"sent_shannons", r.sent.amount.value},
                         {"events_read", r.events_read},
                         {"events_complete", r.complete}},
                        {},
                        {}};
  wait_for_claims(*context, r, described.next);
  if (validator)
    described.passages.push_back(describe_validator(*context, id, *validator, described.next));
  described.passages.push_back(describe_models(*context, r, described.next));
  described.passages.push_back(describe_stakes(*context, r, described.next));
  described.passages.push_back(describe_money(r, received, "received", "What it got"));
  described.passages.push_back(describe_money(r, given, "given", "What it gave and lost"));
  if (r.sent.count > 0) {
    described.passages.back().steps.push_back(describe_sum("sent", "2", "sent to others", r.sent));
  }
  described.passages.push_back(
      describe_events(*context, r.refusals, "refusals", "What was refused"));
  described.passages.push_back(
      describe_events(*context, r.latest, "story", "What happened lately"));
  return described;
}

}  // namespace soma::explain
