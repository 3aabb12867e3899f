#include "actors/ledger/ledger.hpp"

#include <algorithm>

#include "actors/ledger/vote_tally.hpp"

namespace soma::ledger {
namespace {

// Listed in the order of `pot`.
constexpr std::array pots{&chain_row::balances,   &chain_row::staked,        &chain_row::joining,
                          &chain_row::unbonding,  &chain_row::bonds,         &chain_row::set_aside,
                          &chain_row::target_pot, &chain_row::validator_pay, &chain_row::unissued,
                          &chain_row::burned};

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

block_state::block_state(const state_reader& base)
    : accounts(&base),
      validators(&base),
      models(&base),
      versions(&base),
      targets(&base),
      submissions(&base),
      used_data(&base),
      known_weights(&base),
      stakes(&base),
      agenda(&base),
      consensus_keys(&base),
      committees(&base),
      evidence(&base),
      onions(&base),
      lists(&base) {
  const auto stored = base.find(chain_key());
  SOMA_ASSERT(stored.has_value(), "the ledger begins with the rows of genesis");
  chain_ = row_traits<chain_row>::decode(*stored);
}

template <class Self, class Visit>
void block_state::each_table(Self& self, Visit visit) {
  visit(self.accounts);
  visit(self.validators);
  visit(self.models);
  visit(self.versions);
  visit(self.targets);
  visit(self.submissions);
  visit(self.used_data);
  visit(self.known_weights);
  visit(self.stakes);
  visit(self.agenda);
  visit(self.consensus_keys);
  visit(self.committees);
  visit(self.evidence);
  visit(self.onions);
  visit(self.lists);
}

shannons& block_state::total(pot kind) {
  return chain_.*pots[static_cast<std::size_t>(kind)];
}

shannons block_state::balance(const address& who) const {
  const account_row* row = accounts.find(who);
  return row != nullptr ? row->balance : shannons{};
}

shannons block_state::available(const place& where) const {
  if (where.kind == pot::balances) return balance(std::get<address>(where.owner));
  if (where.kind == pot::staked) {
    if (const auto* model = std::get_if<model_id>(&where.owner))
      return models.get(*model).pool.stake;
    return validators.get(std::get<address>(where.owner)).pool.stake;
  }
  return chain_.*pots[static_cast<std::size_t>(where.kind)];
}

void block_state::adjust(const place& where, shannons amount, bool credit) {
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
  } else if (where.kind == pot::burned && credit) {  // protocol §2.4
    chain_.burned_this_epoch = changed(chain_.burned_this_epoch, amount, true);
  }
}

bool block_state::move(const place& from, const place& to, shannons amount) {
  SOMA_ASSERT(from.kind != pot::burned, "what is burned stays burned");
  if (available(from) < amount) return false;
  if (amount.value == 0) return true;
  adjust(from, amount, false);
  adjust(to, amount, true);
  return true;
}

void block_state::must_move(const place& from, const place& to, shannons amount) {
  SOMA_ASSERT(move(from, to, amount), "a transition of the system moves what is there");
}

const stake_pool* block_state::pool(const pool_owner& whose) const {
  if (const auto* model = std::get_if<model_id>(&whose)) {
    const auto* row = models.find(*model);
    return row != nullptr ? &row->pool : nullptr;
  }
  const auto* row = validators.find(std::get<address>(whose));
  return row != nullptr ? &row->pool : nullptr;
}

voting_power block_state::power_of(const address& who) const {
  return ledger::power_of(committee(), who);
}

block_state::savepoint block_state::mark() const {
  savepoint now{chain_, {}};
  auto* next = now.marks.data();
  each_table(*this, [&](const auto& table) { *next++ = table.mark(); });
  return now;
}

void block_state::rollback(const savepoint& to) {
  chain_ = to.chain;
  const auto* next = to.marks.data();
  each_table(*this, [&](auto& table) { table.rollback(*next++); });
}

std::size_t block_state::rows_written(const savepoint& since) const {
  std::size_t rows = 0;
  const auto* next = since.marks.data();
  each_table(*this, [&](const auto& table) { rows += table.rows_written(*next++); });
  return rows;
}

std::size_t block_state::bytes_of_new_rows(const savepoint& since) const {
  std::size_t size = 0;
  const auto* next = since.marks.data();
  each_table(*this, [&](const auto& table) { size += table.bytes_of_new_rows(*next++); });
  return size;
}

void block_state::commit() {
  each_table(*this, [](auto& table) { table.forget_journal(); });
}

void block_state::detach() {
  each_table(*this, [](auto& table) { table.detach(); });
}

std::vector<row_change> block_state::changes() const {
  std::vector<row_change> all;
  all.push_back({chain_key(), row_traits<chain_row>::encode(chain_)});
  each_table(*this, [&](const auto& table) { table.collect(all); });
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
  return all;
}

void block_state::assert_pots_equal(const chain_row& before) const {
  for (const auto member : pots) {
    SOMA_ASSERT(chain_.*member == before.*member, "amounts change by move alone");
  }
  SOMA_ASSERT(
      chain_.burned_this_epoch == before.burned_this_epoch || chain_.burned_this_epoch.value == 0,
      "what was burned this epoch is only ever reset");
}

}  // namespace soma::ledger
