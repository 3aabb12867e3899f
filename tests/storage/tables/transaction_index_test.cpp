#include "storage/tables/transaction_index.hpp"

#include <doctest/doctest.h>

#include <map>
#include <memory>

#include "tests/support/scratch.hpp"

using namespace soma;
using namespace soma::tables;
using soma::test::scratch_directory;

namespace {

std::unique_ptr<lmdb::environment> open_index(const std::filesystem::path& where) {
  lmdb::environment_options how;
  how.map_bytes = std::size_t{256} << 20;
  how.format = "test 1";
  how.tables = {transaction_index::name};
  how.journal = lmdb::write_ahead_options{.checkpoint_batches = 50};
  how.sync = false;
  return std::make_unique<lmdb::environment>(where, how);
}

void add(lmdb::environment& env, std::uint64_t height, const std::vector<transaction_id>& ids) {
  lmdb::write_txn txn(env);
  transaction_index(env).add(txn, {height}, ids);
  txn.commit();
}

std::vector<transaction_place> places_of(const lmdb::environment& env, const transaction_id& id) {
  std::vector<transaction_place> found;
  transaction_index(env).visit(lmdb::read_txn(env), id, [&](const transaction_place& place) {
    found.push_back(place);
    return true;
  });
  return found;
}

/// The number of transactions in each run, the oldest first.
std::vector<std::uint64_t> runs_of(const lmdb::environment& env) {
  std::vector<std::uint64_t> found;
  const lmdb::read_txn txn(env);
  lmdb::scan_prefix(txn, env.table(transaction_index::name), bytes{0},
                    [&](byte_view, byte_view value) {
                      std::uint64_t count = 0;
                      for (const auto byte : value.subspan(1)) count = count << 8 | byte;
                      found.push_back(count);
                      return true;
                    });
  return found;
}

transaction_id random_id(std::mt19937_64& random) {
  transaction_id id;
  for (auto& byte : id.value) byte = static_cast<std::uint8_t>(random());
  return id;
}

}  // namespace

TEST_CASE("all places of a beginning are found, the latest first, in few runs") {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    const scratch_directory dir;
    auto env = open_index(dir.path());
    std::vector<transaction_id> known;
    std::map<bytes, std::vector<transaction_place>> places;  // by the first 8 bytes
    std::uint64_t height = 0;
    for (int block = 0; block < 700; ++block) {
      height += 1 + random() % 2;  // a block without transactions leaves a gap
      std::vector<transaction_id> ids(random() % 9);
      for (std::uint32_t i = 0; i < ids.size(); ++i) {
        ids[i] = random_id(random);
        // Some ids are there already, and some begin like another one.
        if (random() % 8 == 0 && !known.empty()) {
          const auto other = known[random() % known.size()];
          const std::ptrdiff_t alike = random() % 2 == 0 ? 32 : 8;
          std::copy_n(other.value.begin(), alike, ids[i].value.begin());
        }
        known.push_back(ids[i]);
        places[bytes(ids[i].value.begin(), ids[i].value.begin() + 8)].push_back({{height}, i});
      }
      add(*env, height, ids);
      if (block % 300 == 299) {
        env.reset();
        env = open_index(dir.path());
      }
    }
    CHECK(runs_of(*env).size() < 45);  // fewer than sixteen of each of three tiers
    for (const auto& id : known) {
      auto wanted = places.at(bytes(id.value.begin(), id.value.begin() + 8));
      std::ranges::reverse(wanted);
      std::ranges::sort(wanted, std::greater<>{});
      REQUIRE(places_of(*env, id) == wanted);
    }
    for (int i = 0; i < 200; ++i) REQUIRE(places_of(*env, random_id(random)).empty());
    std::size_t asked = 0;
    transaction_index(*env).visit(lmdb::read_txn(*env), known.front(), [&](const auto&) {
      ++asked;
      return false;
    });
    CHECK(asked == 1);
  }
}

TEST_CASE("a run of 65,536 transactions or more is not written again") {
  std::mt19937_64 random(7);
  const scratch_directory dir;
  const auto env = open_index(dir.path());
  std::vector<transaction_id> ids(5'000), first;
  for (std::uint64_t height = 1; height <= 16 * 17; ++height) {
    for (auto& id : ids) id = random_id(random);
    if (height == 1) first = ids;
    add(*env, height, ids);
  }
  CHECK(runs_of(*env) == std::vector<std::uint64_t>(17, 80'000));
  CHECK(places_of(*env, first[17]) == std::vector<transaction_place>{{{1}, 17}});
  CHECK(places_of(*env, ids[4'999]) == std::vector<transaction_place>{{{272}, 4'999}});
}
