#include "storage/lmdb/sorted_run.hpp"

#include <doctest/doctest.h>

#include <map>
#include <random>

#include "tests/support/scratch.hpp"

using namespace soma;
using namespace soma::lmdb;

namespace {

using place = std::pair<std::uint8_t, bytes>;
using wanted_changes = std::map<place, std::optional<bytes>>;  // nullopt: erased

/// A batch of random changes, which are noted in `all` too.
bytes random_batch(std::mt19937_64& random, wanted_changes& all) {
  batch_builder made;
  for (auto left = 1 + random() % 40; left > 0; --left) {
    const auto table = static_cast<std::uint8_t>(random() % 3);
    // Short keys of few letters: many are equal, and many are a prefix of another.
    bytes key(1 + random() % 10);
    for (auto& letter : key) letter = static_cast<std::uint8_t>(random() % 2 * 255);
    if (random() % 4 == 0) {
      made.erase(table, key);
      all[{table, key}] = std::nullopt;
    } else {
      const auto value = test::random_bytes(random, random() % 50);
      made.put(table, key, value);
      all[{table, key}] = value;
    }
    const auto own = made.find(table, key).value();
    CHECK(own.erased == !all[{table, key}]);
  }
  return made.take();
}

void check_change(const change& found, const place& where, const std::optional<bytes>& value) {
  CHECK(found.table == where.first);
  CHECK(test::copy(found.key()) == where.second);
  CHECK(found.erased == !value);
  if (value) CHECK(test::copy(found.value()) == *value);
}

}  // namespace

TEST_CASE("a run has the last change of each record, in the order of tables and keys") {
  std::mt19937_64 random(1);
  for (int round = 0; round < 100; ++round) {
    wanted_changes wanted;
    const auto run = sorted_run::of_batch(random_batch(random, wanted), 3);
    REQUIRE(run);
    REQUIRE(run->changes().size() == wanted.size());
    std::size_t at = 0;
    for (const auto& [where, value] : wanted) {
      check_change(run->changes()[at], where, value);
      CHECK(run->first_from(where.first, where.second) == at++);
      const auto* found = run->find(where.first, where.second, hash_of(where.first, where.second));
      REQUIRE(found != nullptr);
      check_change(*found, where, value);
    }
    CHECK(run->find(0, bytes(11, 1), hash_of(0, bytes(11, 1))) == nullptr);
    CHECK(run->first_from(3, {}) == at);
  }
}

TEST_CASE("of many batches in a list the latest change counts, and the list stays short") {
  std::mt19937_64 random(2);
  run_list list;
  wanted_changes wanted;
  for (int batch = 0; batch < 300; ++batch) {
    list.push(sorted_run::of_batch(random_batch(random, wanted), 3));
    REQUIRE(list.runs().size() <= 12);
    if (batch % 20 != 0) continue;
    for (const auto& [where, value] : wanted) {
      const auto* found = list.find(where.first, where.second);
      REQUIRE(found != nullptr);
      check_change(*found, where, value);
    }
    const auto one = list.as_one();
    REQUIRE(one->changes().size() == wanted.size());
    std::size_t at = 0;
    for (const auto& [where, value] : wanted) check_change(one->changes()[at++], where, value);
  }
}

TEST_CASE("bytes that are no batch give no run") {
  std::mt19937_64 random(3);
  wanted_changes ignored;
  const auto batch = random_batch(random, ignored);
  CHECK(sorted_run::of_batch(batch, 3));
  CHECK_FALSE(sorted_run::of_batch(bytes(batch.begin(), batch.end() - 1), 3));
  auto other_table = batch;
  other_table[0] = 3;
  CHECK_FALSE(sorted_run::of_batch(other_table, 3));
  auto no_kind = batch;
  no_kind[1] = 2;
  CHECK_FALSE(sorted_run::of_batch(no_kind, 3));
  CHECK_FALSE(sorted_run::of_batch(bytes(8), 3));  // an empty key
}
