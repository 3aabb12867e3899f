#include "storage/tables/event_table.hpp"

#include <doctest/doctest.h>

#include <set>

#include "tests/storage/tables/ledger_chain.hpp"
#include "tests/support/scratch.hpp"

using namespace soma;
using namespace soma::tables;
using soma::test::make_block;
using soma::test::scratch_directory;

TEST_CASE("an index of events has one record for an id, however many events name it") {
  const scratch_directory dir;
  ledger_store store(dir.path());
  store.init(test::genesis_bytes(), std::vector<row_change>{{chain_key(), encode(chain_row{})}});
  std::mt19937_64 random(11);
  std::set<address> named;
  for (std::uint64_t height = 1; height <= 100; ++height) {
    auto made = make_block(height, {});
    for (int i = 0; i < 20; ++i) {
      auto& happened = made.events.emplace_back();
      happened.height = {height};
      happened.account.value.fill(static_cast<std::uint8_t>(1 + random() % 50));
      happened.other.value.fill(static_cast<std::uint8_t>(1 + random() % 50));
      named.insert({happened.account, happened.other});
    }
    made.commit_to(store);
  }
  auto& env = store.environment();
  CHECK(lmdb::read_txn(env).count(env.table(event_table::by_account_name)) == named.size());
}
