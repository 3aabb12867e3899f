#include "actors/rules/genesis_state.hpp"

#include <doctest/doctest.h>

#include "tests/actors/rules/network.hpp"

namespace soma::test {
namespace {

const std::vector holders{somebody(1), somebody(2)};

}  // namespace

// Protocol §12.2.
TEST_CASE("the first rows hold the accounts, the validators with their pools and the committee") {
  const auto made = small_genesis(2, holders);
  const auto rows = rules::genesis_rows(made);
  CHECK(std::ranges::is_sorted(rows, {}, &row_change::key));
  memory_state state;
  state.apply(rows);
  CHECK(ledger::supply_is_whole(state));
  const auto chain = ledger::read_chain(state);
  CHECK(chain.height.value == 0);
  CHECK(chain.epoch.value == 0);
  CHECK(chain.epoch_first_block.value == 1);
  CHECK(chain.epoch_start_ms == made.start_ms);
  CHECK(chain.last_block == signing::genesis_parent(signing::chain_id_of(made)));
  CHECK(chain.target_pot.value == 0);
  CHECK(chain.epoch_emission.value == chain.unissued.value / made.parameters.emission_epochs);
  CHECK(chain.congestion_ppm == 1'000'000);
  CHECK(ledger::read_account(state, holders[0].where())->balance == made.accounts[0].balance);
  const auto seats = ledger::read_committee(state).seats;
  REQUIRE(seats.size() == 2);
  for (const auto& v : made.validators) {
    const auto who = crypto::address_of(v.consensus_key);
    CHECK(ledger::read_account(state, who) == account_row{});
    const auto row = ledger::read_validator(state, who);
    REQUIRE(row);
    CHECK(row->pool == stake_pool{v.stake, v.stake.value, v.stake.value});
    CHECK(row->wants_seat);
    CHECK(*decode<consensus_key_row>(*state.find(consensus_key_key(v.consensus_key))) ==
          consensus_key_row{who, {0}, 1});
    CHECK(ledger::find_seat(state, who)->consensus_key == v.consensus_key);
  }
}

// Protocol §12.2 and §5.3.
TEST_CASE("of more validators than seats the largest sit, and the others wait with their stake") {
  auto made = small_genesis(3, holders);
  made.parameters.committee_size = 2;
  memory_state state;
  state.apply(rules::genesis_rows(made));
  const auto smallest = crypto::address_of(made.validators[0].consensus_key);
  CHECK(ledger::read_committee(state).seats.size() == 2);
  CHECK_FALSE(ledger::find_seat(state, smallest));
  const auto key = consensus_key_key(made.validators[0].consensus_key);
  CHECK(*decode<consensus_key_row>(*state.find(key)) == consensus_key_row{smallest, {0}, 0});
  CHECK(ledger::read_validator(state, smallest)->pool.stake == made.validators[0].stake);
}

}  // namespace soma::test
