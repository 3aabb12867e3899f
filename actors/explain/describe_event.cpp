#include "actors/explain/describe_event.hpp"

#include "actors/explain/names.hpp"
#include "actors/rules/arithmetic.hpp"
#include "actors/rules/audit.hpp"
#include "actors/rules/refusal.hpp"
#include "messages/codec/codec.hpp"
#include "messages/values/assert.hpp"

namespace soma::explain {
namespace {

/// The request of a transaction in words, for example "claim of target 0x12345678". Empty when the
/// ledger does not hold the block of the transaction or its bytes cannot be read.
std::string asked_for(const explain_context& context, const transaction_id& id) {
  const auto place = context.view.find_transaction(id);
  const auto found = place ? context.view.block_at(place->height) : std::nullopt;
  if (!found || place->index >= found->payload.size()) return {};
  const auto sent = decode<transaction>(found->payload[place->index].body);
  if (!sent) return {};
  const std::string_view noun = name_of(sent->kind);
  if (const auto* claim = std::get_if<tx::claim_target>(&sent->kind))
    return format_text(noun, " of target ", claim->target);
  if (const auto* reveal = std::get_if<tx::reveal_data>(&sent->kind))
    return format_text(noun, " for target ", reveal->target);
  if (const auto* vote = std::get_if<tx::vote_on_submission>(&sent->kind))
    return format_text(noun, " on target ", vote->target);
  if (const auto* reveal = std::get_if<tx::reveal_model>(&sent->kind))
    return format_text(noun, " of model ", reveal->model);
  return std::string(noun);
}

std::string describe_refusal(const explain_context& context, const event& e) {
  const auto asked = asked_for(context, e.transaction);
  const auto why = rules::to_text(static_cast<rules::refusal>(e.refusal));
  const auto limit =
      e.refusal == static_cast<std::uint16_t>(rules::refusal::size_out_of_range)
          ? format_text(": at most ", rules::largest_data_bytes(context.parameters), " bytes")
          : "";
  return format_text(e.account, "'s ", asked.empty() ? "transaction" : asked, " was refused: ", why,
                     limit,
                     e.amount.value > 0 ? format_text("; ", e.amount, " of fee burned") : "");
}

template <class Vote>
std::string power_in(const std::vector<Vote>& votes, const address& voter) {
  for (const auto& vote : votes) {
    if (vote.voter == voter) return format_text(" with power ", std::uint64_t{vote.power.value});
  }
  return {};
}

std::string describe_audit_vote(const explain_context& context, const event& e) {
  const auto submission = context.view.submission(e.target);
  return format_text(e.account, " voted `", name_of(static_cast<audit_verdict>(e.detail)), "`",
                     submission ? power_in(submission->votes, e.account) : "", " on target ",
                     e.target);
}

std::string describe_model_vote(const explain_context& context, const event& e) {
  const auto version = context.view.model_version(e.model);
  return format_text(e.account, " judged ", format_model(context, e.model), " `",
                     name_of(static_cast<model_verdict>(e.detail)), "`",
                     version ? power_in(version->votes, e.account) : "");
}

/// Why a version never became active, as its row shows: it was not revealed in its epoch, or its
/// model retired first.
std::string describe_drop(const explain_context& context, const event& e) {
  const auto version = context.view.model_version(e.model);
  const bool missed =
      version && version->weights.is_zero() && e.epoch >= version->committed_in.next();
  return format_text(format_model(context, e.model), " was dropped: ",
                     missed ? format_text("committed in epoch ", version->committed_in,
                                          ", it was not revealed "
                                          "before epoch ",
                                          e.epoch, " ended")
                            : "the model retired before it became active");
}

std::string describe_model_slash(const explain_context& context, const event& e) {
  const auto version = context.view.model_version(e.model);
  const bool bad = version && version->status == version_status::bad;
  return format_text(format_model(context, e.model), " lost ", e.amount,
                     " of its pool, its owner's part first: ",
                     bad ? format_text("a quorum of validators judged it bad; ", shannons{e.detail},
                                       " of it is added to the pay of all validators")
                         : "it never was active and was not revealed in its epoch");
}

std::string describe_void(const event& e) {
  switch (static_cast<void_reason>(e.detail)) {
    case void_reason::undecided:
      return "no quorum of validators said whether it is right";
    case void_reason::unavailable:
      return "a quorum of validators could not fetch its data, or found it wrong";
    case void_reason::data_in_use:
      return "another submitter revealed the same data since the claim";
  }
  return {};
}

std::string blocks_and_votes(std::uint64_t detail) {
  return format_text("signed ", format_count(detail >> 32, "block"), " and cast ",
                     format_count(detail & 0xffff'ffff, "audit vote"));
}

std::string signed_millionths(std::uint64_t detail) {
  const auto value = static_cast<std::int64_t>(detail);
  return format_decimal(static_cast<double>(value) / 1e6);
}

std::string describe_stake(const explain_context& context, const event& e) {
  const auto pool = format_pool(context, pool_of(e));
  switch (e.kind) {
    case event_kind::stake_added:
      return format_text(e.account, " deposited ", e.amount, " into ", pool,
                         "; it becomes shares when epoch ", e.epoch, " ends");
    case event_kind::stake_joined:
      return format_text(e.amount, " of ", e.account, " became ", e.detail, " shares of ", pool);
    case event_kind::stake_returned:
      return format_text(e.amount, " bought no share of ", pool, " and went back to ", e.account);
    case event_kind::stake_withdrawn:
      return format_text(e.account, " asked ", pool, " for the worth of ", e.detail, " shares");
    case event_kind::stake_left:
      return format_text(e.account, " left ", pool, " with ", e.amount, ", paid out when epoch ",
                         e.detail, " ends");
    case event_kind::stake_paid_out:
      return format_text(e.amount, " from ", pool, " was paid out to ", e.account);
    case event_kind::commission_changed:
      return format_text("the commission of ", pool, " became ", e.detail, " basis points");
    default:
      SOMA_ASSERT(false, "an event about stake");
      return {};
  }
}

std::string describe_model(const explain_context& context, const event& e) {
  const auto model = format_model(context, e.model);
  switch (e.kind) {
    case event_kind::model_committed:
      return format_text(
          e.account, " committed ", model,
          e.amount.value > 0 ? format_text(" with ", e.amount, " of own stake") : "");
    case event_kind::model_revealed:
      return format_text(e.account, " revealed ", model);
    case event_kind::model_activated:
      return format_text(model, " became active");
    case event_kind::model_update_dropped:
      return describe_drop(context, e);
    case event_kind::model_not_accepted:
      if (e.other != address{}) {
        return format_text(model, " was dropped: ", e.other.text(),
                           " has published the same weights before; nothing was slashed");
      }
      return format_text(model, " was not accepted: validators with a power of ", e.detail,
                         " found it good, not with the ", rules::quorum_power.value,
                         " needed; nothing was slashed");
    case event_kind::model_slashed:
      return describe_model_slash(context, e);
    case event_kind::model_retiring:
      return format_text("the owner retires ", model, " when epoch ", e.epoch, " ends");
    case event_kind::model_retired:
      return format_text(model, " retired: its stake can be withdrawn");
    case event_kind::model_vote_cast:
      return describe_model_vote(context, e);
    case event_kind::model_paid:
      return format_text(model, " was paid ", e.amount, ": commission to its owner ", e.account,
                         ", the rest to its pool");
    default:
      SOMA_ASSERT(false, "an event about a model");
      return {};
  }
}

std::string describe_target(const explain_context& context, const event& e) {
  switch (e.kind) {
    case event_kind::target_opened:
      return format_text("target ", e.target, " opened with a reward of ", e.amount);
    case event_kind::target_filled:
      return format_text(e.account, " claimed target ", e.target, " for ",
                         format_model(context, e.model), "; a bond of ", e.amount, " is locked");
    case event_kind::data_revealed:
      return format_text(e.account, " revealed the data for target ", e.target);
    case event_kind::audit_vote_cast:
      return describe_audit_vote(context, e);
    case event_kind::audit_extended:
      return format_text("no quorum agreed on target ", e.target, ": extension ", e.detail, " of ",
                         std::uint64_t{context.parameters.max_audit_extensions});
    case event_kind::target_settled:
      return format_text("target ", e.target, " settled");
    case event_kind::target_slashed:
      return format_text("the submission to target ", e.target, " was rejected");
    case event_kind::target_voided:
      return format_text("the claim on target ", e.target, " is void: ", describe_void(e));
    case event_kind::target_expired:
      return format_text("target ", e.target, " expired: nobody claimed it before epoch ", e.epoch,
                         " ended");
    case event_kind::reveal_missed:
      return format_text(e.account, " did not reveal the data for target ", e.target, " in time");
    case event_kind::submitter_paid:
      return format_text(e.account, " was paid ", e.amount, " as the submitter of target ",
                         e.target);
    case event_kind::bond_returned:
      return format_text("the bond of ", e.amount, " went back to ", e.account);
    case event_kind::bond_burned:
      return format_text(e.amount, " of the bond of ", e.account, " was burned");
    default:
      SOMA_ASSERT(false, "an event about a target");
      return {};
  }
}

std::string describe_validator(const event& e) {
  switch (e.kind) {
    case event_kind::validator_paid:
      return format_text("validator ", e.account, " was paid ", e.amount, ": it ",
                         blocks_and_votes(e.detail));
    case event_kind::validator_absent:
      return format_text("validator ", e.account, " was not paid ", e.amount, ": it only ",
                         blocks_and_votes(e.detail));
    case event_kind::validator_joined:
      return format_text(e.account, " wants a seat in the committee",
                         e.amount.value > 0 ? format_text(", with a deposit of ", e.amount) : "");
    case event_kind::validator_leaving:
      return format_text(e.account, " wants no seat after epoch ", e.epoch);
    case event_kind::validator_seated:
      return format_text(e.account, " has a seat in epoch ", e.epoch.next(), " with power ",
                         e.detail, " of 10000");
    case event_kind::validator_unseated:
      return format_text(e.account, " has no seat in epoch ", e.epoch.next());
    case event_kind::validator_slashed:
      return format_text("validator ", e.account, " lost ", e.amount,
                         " of its pool, its own part first: it equivocated in epoch ", e.detail);
    case event_kind::reporter_paid:
      return format_text(e.account, " was paid ", e.amount, " for showing that ", e.other,
                         " equivocated");
    case event_kind::voter_paid:
      return format_text(e.account, " was paid ", e.amount,
                         " for its vote against the submission to target ", e.target);
    default:
      SOMA_ASSERT(false, "an event about a validator");
      return {};
  }
}

std::string sentence_of(const explain_context& context, const event& e) {
  switch (e.kind) {
    case event_kind::transaction_applied:
      return format_text("a transaction of ", e.account, " was applied; ", e.amount,
                         " of fee burned");
    case event_kind::transaction_refused:
      return describe_refusal(context, e);
    case event_kind::transferred:
      return format_text(e.other, " sent ", e.amount, " to ", e.account);
    case event_kind::model_committed:
    case event_kind::model_revealed:
    case event_kind::model_activated:
    case event_kind::model_update_dropped:
    case event_kind::model_slashed:
    case event_kind::model_retired:
    case event_kind::model_retiring:
    case event_kind::model_paid:
    case event_kind::model_vote_cast:
    case event_kind::model_not_accepted:
      return describe_model(context, e);
    case event_kind::stake_added:
    case event_kind::stake_joined:
    case event_kind::stake_returned:
    case event_kind::stake_withdrawn:
    case event_kind::stake_left:
    case event_kind::stake_paid_out:
    case event_kind::commission_changed:
      return describe_stake(context, e);
    case event_kind::epoch_ended:
      return format_text("epoch ", e.epoch, " ended; the pot of the targets has ", e.amount,
                         " for the next one");
    case event_kind::emission_released:
      return format_text("the epoch emitted ", e.amount, " into the pot of the targets and ",
                         shannons{e.detail}, " to validators");
    case event_kind::emission_returned:
      return format_text(e.amount, " that the pot of the targets had beyond an epoch's emission ",
                         "went back to what is not issued yet");
    case event_kind::fees_changed:
      return format_text(e.amount, " was burned in epoch ", e.epoch, "; the fee multiplier became ",
                         format_decimal(static_cast<double>(e.detail) / 1e6));
    case event_kind::difficulty_changed:
      return format_text("the difficulty became ", signed_millionths(e.detail));
    case event_kind::voter_paid:
    case event_kind::validator_paid:
    case event_kind::validator_joined:
    case event_kind::validator_leaving:
    case event_kind::validator_seated:
    case event_kind::validator_unseated:
    case event_kind::validator_absent:
    case event_kind::validator_slashed:
    case event_kind::reporter_paid:
      return describe_validator(e);
    default:
      return describe_target(context, e);
  }
}

/// The name of the field that shows `detail` for this kind of event; empty when it is not used.
std::string_view detail_name(event_kind kind) {
  switch (kind) {
    case event_kind::epoch_ended:
      return "next_first_height";
    case event_kind::stake_joined:
    case event_kind::stake_withdrawn:
      return "shares";
    case event_kind::stake_left:
      return "payable_in_epoch";
    case event_kind::commission_changed:
      return "commission_bps";
    case event_kind::validator_seated:
      return "power";
    case event_kind::validator_slashed:
      return "signed_in_epoch";
    case event_kind::emission_released:
      return "validators_shannons";
    case event_kind::fees_changed:
      return "multiplier_ppm";
    case event_kind::audit_extended:
      return "extensions";
    case event_kind::model_slashed:
      return "to_validators_shannons";
    case event_kind::model_not_accepted:
      return "good_power";
    default:
      return {};
  }
}

void add_detail(std::vector<field>& fields, const event& e) {
  if (e.kind == event_kind::audit_vote_cast) {
    fields.push_back({"verdict", std::string(name_of(static_cast<audit_verdict>(e.detail)))});
  } else if (e.kind == event_kind::model_vote_cast) {
    fields.push_back({"verdict", std::string(name_of(static_cast<model_verdict>(e.detail)))});
  } else if (e.kind == event_kind::target_voided) {
    fields.push_back({"reason", std::string(name_of(static_cast<void_reason>(e.detail)))});
  } else if (e.kind == event_kind::difficulty_changed) {
    fields.push_back({"difficulty_ppm", static_cast<std::int64_t>(e.detail)});
  } else if (e.kind == event_kind::validator_paid || e.kind == event_kind::validator_absent) {
    fields.push_back({"blocks_signed", e.detail >> 32});
    fields.push_back({"audits_cast", e.detail & 0xffff'ffff});
  } else if (const auto name = detail_name(e.kind); !name.empty()) {
    fields.push_back({std::string(name), e.detail});
  }
}

std::vector<field> fields_of(const event& e) {
  std::vector<field> fields{{"epoch", e.epoch.value}};
  const auto add = [&](const char* name, const auto& id) {
    if (!id.is_zero()) fields.push_back({name, id.text()});
  };
  add("transaction", e.transaction);
  add("target", e.target);
  add("model", e.model.model);
  if (e.model.version > 0) fields.push_back({"version", std::uint64_t{e.model.version}});
  add("account", e.account);
  add("other", e.other);
  if (e.amount.value > 0) fields.push_back({"amount_shannons", e.amount.value});
  if (e.refusal > 0) {
    const auto reason = static_cast<rules::refusal>(e.refusal);
    fields.push_back({"refusal", std::string(rules::name_of(reason))});
    fields.push_back({"why", std::string(rules::to_text(reason))});
  }
  add_detail(fields, e);
  return fields;
}

std::string_view section_for(const event& e) {
  if (e.kind == event_kind::transaction_refused) return section_of_refusal(e.refusal);
  return section_of(e.kind);
}

}  // namespace

pool_owner pool_of(const event& happened) {
  if (!happened.model.model.is_zero()) return happened.model.model;
  return happened.other.is_zero() ? happened.account : happened.other;
}

step describe_event(const explain_context& context, const event& happened) {
  return {std::string(name_of(happened.kind)), sentence_of(context, happened), happened.height,
          std::string(section_for(happened)), fields_of(happened)};
}

}  // namespace soma::explain
