// A ledger that was filled in many transactions equals the one that init would have made in one.
#include "storage/tables/ledger_loader.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

#include "messages/codec/codec.hpp"
#include "tests/messages/codec/samples.hpp"
#include "tests/support/process_end.hpp"
#include "tests/support/scratch.hpp"

using namespace soma;
using namespace soma::tables;
using soma::test::asserts;
using soma::test::sample;
using soma::test::scratch_directory;
using soma::test::status_of;

namespace {

ledger_options small() {
  return {.map_bytes = std::size_t{2} << 30};
}

chain_row first_chain() {
  auto chain = sample<chain_row>(1);
  chain.height = {};
  return chain;
}

/// Rows with more bytes than one transaction of the loader holds, sorted by key, with targets among
/// them.
std::vector<row_change> many_rows() {
  std::vector<row_change> rows;
  std::mt19937_64 random(7);
  const auto id = [&] { return *hash256::from(test::random_bytes(random, 32)); };
  for (int i = 0; i < 40'000; ++i) {
    rows.push_back({account_key(address{id().value}), encode(sample<account_row>(1 + i % 50))});
  }
  auto large = sample<target_row>(3);
  large.point.assign(4'000, 1.5f);
  for (int i = 0; i < 4'500; ++i) {
    large.status = i % 3 == 0 ? target_status::open : target_status::settled;
    rows.push_back({target_key(target_id{id().value}), encode(large)});
  }
  std::ranges::sort(rows, {}, &row_change::key);
  return rows;
}

std::map<bytes, bytes> all_rows(const ledger_store& store) {
  std::map<bytes, bytes> rows;
  store.scan([&](byte_view key, byte_view value) {
    rows.emplace(bytes(key.begin(), key.end()), bytes(value.begin(), value.end()));
    return true;
  });
  return rows;
}

}  // namespace

TEST_CASE("a ledger that was filled row by row is the one that init makes") {
  const scratch_directory filled_at, made_at;
  const auto rows = many_rows();
  const bytes genesis(100, 7);
  {
    ledger_store filled(filled_at.path(), small());
    ledger_loader loader(filled);
    for (const auto& row : rows) loader.add(row.key, *row.value);
    CHECK_FALSE(filled.initialised());
    CHECK_FALSE(filled.genesis().has_value());
    loader.finish(genesis, encode(first_chain()));
    CHECK(filled.initialised());
  }
  ledger_store made(made_at.path(), small());
  auto all = rows;
  all.push_back({chain_key(), encode(first_chain())});
  made.init(genesis, all);
  const ledger_store filled(filled_at.path(), small());
  CHECK(all_rows(filled) == all_rows(made));
  CHECK(filled.genesis() == genesis);
  CHECK(filled.chain() == first_chain());
  const auto epoch = sample<target_row>(3).epoch;
  CHECK(filled.view().open_targets(epoch).size() == 1'500);
  CHECK(filled.view().open_targets(epoch) == made.view().open_targets(epoch));
}

TEST_CASE("a ledger whose filling was cut short counts as empty") {
  const scratch_directory folder;
  const auto rows = many_rows();
  const int status = status_of([&] {
    ledger_store filled(folder.path(), small());
    ledger_loader loader(filled);
    for (const auto& row : rows) loader.add(row.key, *row.value);
    ::kill(::getpid(), SIGKILL);
  });
  REQUIRE(WIFSIGNALED(status));
  const ledger_store left(folder.path(), small());
  CHECK_FALSE(left.initialised());
  CHECK_FALSE(left.genesis().has_value());
  CHECK_FALSE(all_rows(left).empty());  // rows that were committed before the kill
}

TEST_CASE("rows out of order and a second filling end the process") {
  const scratch_directory folder;
  const auto rows = many_rows();
  CHECK(asserts([&] {
    ledger_store store(folder.path(), small());
    ledger_loader loader(store);
    loader.add(rows[1].key, *rows[1].value);
    loader.add(rows[0].key, *rows[0].value);
  }));
  CHECK(asserts([&] {
    ledger_store store(folder.path(), small());
    ledger_loader loader(store);
    loader.add(rows[1].key, *rows[1].value);
    loader.add(rows[1].key, *rows[1].value);
  }));
  CHECK(asserts([&] {
    ledger_store store(folder.path(), small());
    ledger_loader(store).finish(bytes(10), encode(first_chain()));
    ledger_loader again(store);
  }));
}
