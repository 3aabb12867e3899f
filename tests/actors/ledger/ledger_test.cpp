#include "actors/ledger/ledger.hpp"

#include <doctest/doctest.h>

#include "actors/ledger/queries.hpp"
#include "tests/actors/ledger/memory_state.hpp"

namespace soma::test {
namespace {

using ledger::balance_of;
using ledger::of;
using ledger::pot;

address address_from(std::uint8_t first) {
  address made;
  made.value[0] = first;
  return made;
}
const address alice = address_from(1), bob = address_from(2);

/// Alice has 100 shannons; all other money is unissued.
memory_state first_rows() {
  chain_row chain;
  chain.balances = {100};
  chain.unissued = {supply_cap.value - 100};
  memory_state rows;
  rows.apply({{chain_key(), encode(chain)}, {account_key(alice), encode(account_row{{100}, 0})}});
  return rows;
}

}  // namespace

// Protocol §3.1 and §1.9.
TEST_CASE("money moves whole or not at all, and an address gets an account with its first amount") {
  const auto rows = first_rows();
  ledger::block_state state(rows);
  CHECK_FALSE(state.move(balance_of(alice), balance_of(bob), {101}));
  CHECK(state.balance(alice).value == 100);
  CHECK(state.accounts.find(bob) == nullptr);
  CHECK(state.move(balance_of(alice), balance_of(bob), {0}));
  CHECK(state.accounts.find(bob) == nullptr);
  CHECK(state.move(balance_of(alice), balance_of(bob), {40}));
  CHECK(state.balance(alice).value == 60);
  CHECK(state.accounts.get(bob) == account_row{{40}, 0});
  CHECK(state.chain().balances.value == 100);
  CHECK(ledger::total_of(state.chain()) == supply_cap);
}

// Protocol §2.4.
TEST_CASE("burned money counts for its epoch, whatever account it came from") {
  const auto rows = first_rows();
  ledger::block_state state(rows);
  CHECK(state.move(balance_of(alice), of(pot::burned), {30}));
  CHECK(state.move(of(pot::unissued), of(pot::burned), {5}));
  CHECK(state.chain().burned.value == 35);
  CHECK(state.chain().burned_this_epoch.value == 35);
  CHECK(ledger::total_of(state.chain()) == supply_cap);
}

// Protocol §1.8.
TEST_CASE(
    "a rollback to a savepoint restores rows and totals; a savepoint counts the distinct rows "
    "since") {
  const auto rows = first_rows();
  ledger::block_state state(rows);
  const auto start = state.mark();
  state.must_move(balance_of(alice), balance_of(bob), {10});
  state.must_move(balance_of(alice), of(pot::bonds), {20});
  CHECK(state.rows_written(start) == 2);
  const auto inner = state.mark();
  state.must_move(balance_of(bob), of(pot::burned), {10});
  CHECK(state.rows_written(inner) == 1);
  state.rollback(inner);
  CHECK(state.balance(bob).value == 10);
  CHECK(state.chain().burned.value == 0);
  state.rollback(start);
  CHECK(state.balance(alice).value == 100);
  CHECK(state.accounts.find(bob) == nullptr);
  CHECK(state.chain().bonds.value == 0);
  CHECK(state.rows_written(start) == 0);
}

TEST_CASE("changes are sorted by key, hold the chain row, and make the state that was read") {
  auto rows = first_rows();
  ledger::block_state state(rows);
  state.must_move(balance_of(alice), balance_of(bob), {1});
  state.used_data.put({}, {});
  state.used_data.erase({});  // it was added and removed within the block
  const auto changes = state.changes();
  CHECK(std::ranges::is_sorted(changes, {}, &row_change::key));
  CHECK(changes.size() == 3);
  rows.apply(changes);
  CHECK(ledger::read_account(rows, bob)->balance.value == 1);
  CHECK(ledger::supply_is_whole(rows));
}

}  // namespace soma::test
