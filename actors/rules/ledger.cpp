#include "actors/rules/ledger.hpp"

#include <algorithm>

namespace soma::rules {
namespace {

constexpr std::array pots{&chain_row::balances,  &chain_row::staked,        &chain_row::bonds,
                          &chain_row::set_aside, &chain_row::target_budget, &chain_row::next_budget,
                          &chain_row::unissued,  &chain_row::burned};

shannons changed(shannons value, shannons amount, bool credit) {
  const auto result = credit ? add(value, amount) : subtract(value, amount);
  SOMA_ASSERT(result.has_value(), "a pot covers what is taken from it and holds what is put in");
  return *result;
}

}  // namespace

std::optional<shannons> total_of(const chain_row& chain) {
  shannons sum;
  for (const auto member : pots) {
    const auto next = add(sum, chain.*member);
    if (!next) return std::nullopt;
    sum = *next;
  }
  return sum;
}

ledger::ledger(const state_reader& base)
    : accounts(&base),
      validators(&base),
      models(&base),
      versions(&base),
      targets(&base),
      submissions(&base),
      used_data(&base) {
  const auto stored = base.find(chain_key());
  SOMA_ASSERT(stored.has_value(), "the ledger begins with the rows of genesis");
  chain_ = row_traits<chain_row>::decode(*stored);
}

shannons& ledger::total(pot kind) {
  return chain_.*pots[static_cast<std::size_t>(kind)];
}

shannons ledger::balance(const address& who) const {
  const account_row* row = accounts.find(who);
  return row != nullptr ? row->balance : shannons{};
}

shannons ledger::available(const place& where) const {
  if (where.kind == pot::balances) return balance(std::get<address>(where.owner));
  if (where.kind == pot::staked) {
    if (const auto* model = std::get_if<model_id>(&where.owner))
      return models.get(*model).pool.stake;
    return validators.get(std::get<address>(where.owner)).pool.stake;
  }
  return chain_.*pots[static_cast<std::size_t>(where.kind)];
}

void ledger::adjust(const place& where, shannons amount, bool credit) {
  auto& sum = total(where.kind);
  sum = changed(sum, amount, credit);
  if (where.kind == pot::balances) {
    const auto& who = std::get<address>(where.owner);
    const account_row* row = accounts.find(who);
    account_row next = row != nullptr ? *row : account_row{};
    next.balance = changed(next.balance, amount, credit);
    accounts.put(who, next);
  } else if (where.kind == pot::staked) {
    const auto change = [&](auto& row) {
      row.pool.stake = changed(row.pool.stake, amount, credit);
    };
    if (const auto* model = std::get_if<model_id>(&where.owner)) {
      models.update(*model, change);
    } else {
      validators.update(std::get<address>(where.owner), change);
    }
  } else if (where.kind == pot::burned && credit) {
    chain_.burned_this_epoch = changed(chain_.burned_this_epoch, amount, true);
  }
}

refused ledger::move(const place& from, const place& to, shannons amount) {
  SOMA_ASSERT(from.kind != pot::burned, "what is burned stays burned");
  if (available(from) < amount) return refusal::balance_too_low;
  if (amount.value == 0) return std::nullopt;
  adjust(from, amount, false);
  adjust(to, amount, true);
  return std::nullopt;
}

void ledger::must_move(const place& from, const place& to, shannons amount) {
  SOMA_ASSERT(!move(from, to, amount), "a transition of the system moves what is there");
}

const std::vector<committee_seat>& ledger::committee() {
  if (!committee_) {
    committee_.emplace();
    for (const auto& who :
         validators.keys_where([](const validator_row& v) { return v.power > 0; })) {
      committee_->push_back({who, validators.get(who).power});
    }
  }
  return *committee_;
}

std::uint32_t ledger::power_of(const address& who) {
  const auto& seats = committee();
  const auto seat = std::lower_bound(seats.begin(), seats.end(), who,
                                     [](const auto& s, const address& a) { return s.member < a; });
  return seat != seats.end() && seat->member == who ? seat->power : 0;
}

ledger::savepoint ledger::mark() const {
  return {chain_,
          {accounts.mark(), validators.mark(), models.mark(), versions.mark(), targets.mark(),
           submissions.mark(), used_data.mark()}};
}

void ledger::rollback(const savepoint& to) {
  chain_ = to.chain;
  accounts.rollback(to.marks[0]);
  validators.rollback(to.marks[1]);
  models.rollback(to.marks[2]);
  versions.rollback(to.marks[3]);
  targets.rollback(to.marks[4]);
  submissions.rollback(to.marks[5]);
  used_data.rollback(to.marks[6]);
}

std::size_t ledger::rows_written(const savepoint& since) const {
  return accounts.rows_written(since.marks[0]) + validators.rows_written(since.marks[1]) +
         models.rows_written(since.marks[2]) + versions.rows_written(since.marks[3]) +
         targets.rows_written(since.marks[4]) + submissions.rows_written(since.marks[5]) +
         used_data.rows_written(since.marks[6]);
}

void ledger::commit() {
  accounts.forget_journal();
  validators.forget_journal();
  models.forget_journal();
  versions.forget_journal();
  targets.forget_journal();
  submissions.forget_journal();
  used_data.forget_journal();
}

void ledger::detach() {
  accounts.detach();
  validators.detach();
  models.detach();
  versions.detach();
  targets.detach();
  submissions.detach();
  used_data.detach();
}

std::vector<row_change> ledger::changes() const {
  std::vector<row_change> all;
  all.push_back({chain_key(), row_traits<chain_row>::encode(chain_)});
  accounts.collect(all);
  validators.collect(all);
  models.collect(all);
  versions.collect(all);
  targets.collect(all);
  submissions.collect(all);
  used_data.collect(all);
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
  return all;
}

void ledger::assert_pots_equal(const chain_row& before) const {
  for (const auto member : pots) {
    SOMA_ASSERT(chain_.*member == before.*member, "amounts change by move alone");
  }
  SOMA_ASSERT(
      chain_.burned_this_epoch == before.burned_this_epoch || chain_.burned_this_epoch.value == 0,
      "what was burned this epoch is only ever reset");
}

}  // namespace soma::rules
