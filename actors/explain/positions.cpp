#include "actors/explain/positions.hpp"

#include "actors/rules/pools.hpp"
#include "messages/codec/codec.hpp"
#include "messages/values/assert.hpp"

namespace soma::explain {
namespace {

std::string price_of(const stake_pool& pool) {
  if (pool.shares == 0) return "no shares";
  return format_text(
      "one share is worth ",
      format_decimal(static_cast<double>(pool.stake.value) / static_cast<double>(pool.shares)),
      " shannons");
}

std::uint64_t shares_of(const stake_position& position, const found_pool& in,
                        const stake_row& row) {
  return position.holder == in.owner ? in.pool.owner_shares : row.shares;
}

}  // namespace

std::optional<found_pool> find_pool(const tables::ledger_view& view, const pool_owner& whose) {
  if (const auto* model = std::get_if<model_id>(&whose)) {
    const auto row = view.model(*model);
    return row ? std::optional(found_pool{row->pool, row->owner}) : std::nullopt;
  }
  const auto& who = std::get<address>(whose);
  const auto row = view.validator(who);
  return row ? std::optional(found_pool{row->pool, who}) : std::nullopt;
}

std::optional<stake_row> find_position(const tables::ledger_view& view,
                                       const stake_position& position) {
  const auto stored = view.find_row(stake_key(position));
  if (!stored) return std::nullopt;
  const auto row = decode<stake_row>(*stored);
  SOMA_ASSERT(row.has_value(), "a row that is stored decodes");
  return *row;
}

step describe_pool(const explain_context& context, const pool_owner& whose, const stake_pool& pool,
                   std::uint32_t commission_bps) {
  const auto own = rules::own_stake(pool);
  step described{
      "pool",
      format_text(format_pool(context, whose), " holds ", pool.stake, " in ",
                  format_count(pool.shares, "share"), "; ", price_of(pool), "; its owner has ", own,
                  " of it and takes ", std::uint64_t{commission_bps}, " basis points of rewards"),
      std::nullopt,
      "4",
      {{"stake_shannons", pool.stake.value},
       {"shares", pool.shares},
       {"owner_shares", pool.owner_shares},
       {"own_stake_shannons", own.value},
       {"commission_bps", std::uint64_t{commission_bps}}}};
  if (pool.shares > 0) {
    described.fields.push_back({"share_price_shannons", static_cast<float>(pool.stake.value) /
                                                            static_cast<float>(pool.shares)});
  }
  return described;
}

step describe_position(const explain_context& context, const stake_position& position,
                       const found_pool& in, const stake_row& row) {
  const auto shares = shares_of(position, in, row);
  const auto worth = rules::worth_of(in.pool, shares);
  const auto* model = std::get_if<model_id>(&position.pool);
  step described{"position",
                 format_text(position.holder, " has ", format_count(shares, "share"), " of ",
                             format_pool(context, position.pool), ", worth ", worth),
                 std::nullopt,
                 "4",
                 {{model != nullptr ? "model" : "validator",
                   model != nullptr ? model->text() : std::get<address>(position.pool).text()},
                  {"holder", position.holder.text()},
                  {"shares", shares},
                  {"worth_shannons", worth.value},
                  {"joining_shannons", row.joining.value},
                  {"leaving_shares", row.leaving_shares}}};
  shannons unbonding;
  const bool is_owner = position.holder == in.owner;
  for (const auto& part : row.unbonding) {
    unbonding.value += (is_owner ? part.amount : rules::kept_of(in.pool, part)).value;
  }
  described.fields.push_back({"unbonding_shannons", unbonding.value});
  if (row.joining.value > 0) described.text += format_text("; ", row.joining, " waits to join");
  if (row.leaving_shares > 0)
    described.text += format_text("; ", row.leaving_shares, " shares are leaving");
  if (unbonding.value > 0) described.text += format_text("; ", unbonding, " waits to be paid out");
  return described;
}

std::vector<step> describe_positions(const explain_context& context, const pool_owner& whose,
                                     const stake_pool& pool, const address& owner) {
  std::vector<step> described;
  context.view.scan_prefix(stake_prefix(whose), [&](byte_view key, byte_view value) {
    const auto position = position_in_key(key);
    const auto row = decode<stake_row>(value);
    SOMA_ASSERT(position && row, "a row that is stored decodes");
    described.push_back(describe_position(context, *position, {pool, owner}, *row));
    return described.size() < context.how.listed;
  });
  return described;
}

std::vector<step> position_deadlines(const explain_context& context, const stake_position& position,
                                     const stake_row& row) {
  std::vector<step> next;
  const auto pool = format_pool(context, position.pool);
  const auto now = context.chain.epoch;
  if (row.joining.value > 0) {
    auto due = due_at_end_of(context, now, "deposit_joins",
                             format_text("the deposit of ", row.joining, " in ", pool,
                                         " becomes shares at the end of epoch ", now),
                             "4");
    due.fields.push_back({"amount_shannons", row.joining.value});
    next.push_back(std::move(due));
  }
  if (row.leaving_shares > 0) {
    const bool of_model = std::holds_alternative<model_id>(position.pool);
    const auto wait = of_model ? context.parameters.model_unbonding_epochs
                               : context.parameters.validator_unbonding_epochs;
    auto due = due_at_end_of(
        context, now, "shares_leave",
        format_text(row.leaving_shares, " shares leave ", pool, " at the end of epoch ", now,
                    " and are paid out at the end of epoch ", now.value + wait),
        "4");
    due.fields.push_back({"shares", row.leaving_shares});
    next.push_back(std::move(due));
  }
  const auto in = find_pool(context.view, position.pool);
  SOMA_ASSERT(in.has_value(), "a position names a pool");
  for (const auto& part : row.unbonding) {
    const auto amount = position.holder == in->owner ? part.amount : rules::kept_of(in->pool, part);
    auto due = due_at_end_of(
        context, part.payable_in, "unbonding_paid",
        format_text(amount, " from ", pool, " is paid out at the end of epoch ", part.payable_in),
        "4");
    due.fields.push_back({"amount_shannons", amount.value});
    next.push_back(std::move(due));
  }
  return next;
}

}  // namespace soma::explain
