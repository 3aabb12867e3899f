#include <doctest/doctest.h>

#include <map>

#include "storage/lmdb/environment.hpp"
#include "storage/lmdb/transaction.hpp"
#include "tests/support/scratch.hpp"

using namespace soma;
using namespace soma::lmdb;

TEST_CASE("a cursor walks tables and journal as one, in both directions and from any key") {
  std::mt19937_64 random(9);
  for (int round = 0; round < 30; ++round) {
    CAPTURE(round);
    const test::scratch_directory dir;
    environment env(dir.path(), {.map_bytes = std::size_t{16} << 20,
                                 .format = "test 1",
                                 .tables = {"before", "table", "behind"},
                                 .journal = write_ahead_options{.checkpoint_batches = 1'000'000}});
    const auto random_key = [&] {
      bytes key(1 + random() % 3);
      for (auto& letter : key) letter = static_cast<std::uint8_t>(random() % 4);
      return key;
    };
    std::map<bytes, bytes> wanted;
    for (int batch = 0; batch < 6; ++batch) {
      write_txn txn(env);
      txn.put(env.table("before"), bytes{255, 255, 255}, {});
      txn.put(env.table("behind"), bytes{0}, {});
      for (int i = 0; i < 12; ++i) {
        const auto key = random_key();
        if (random() % 3 == 0) {
          txn.erase(env.table("table"), key);
          wanted.erase(key);
        } else {
          wanted[key] = test::random_bytes(random, 5);
          txn.put(env.table("table"), key, wanted[key]);
        }
      }
      txn.commit();
      if (batch == 2) env.checkpoint();
    }
    const read_txn txn(env);
    cursor at(txn, env.table("table"));
    auto model = wanted.end();
    bool there = false;
    for (int step = 0; step < 300; ++step) {
      CAPTURE(step);
      switch (random() % 5) {
        case 0: {
          const auto key = random_key();
          model = wanted.lower_bound(key);
          there = at.at_least(key);
          break;
        }
        case 1:
          model = wanted.begin();
          there = at.first();
          break;
        case 2:
          model = wanted.empty() ? wanted.end() : std::prev(wanted.end());
          there = at.last();
          break;
        case 3:
          if (!there) continue;
          ++model;
          there = at.next();
          break;
        default:
          if (!there) continue;
          model = model == wanted.begin() ? wanted.end() : std::prev(model);
          there = at.previous();
      }
      REQUIRE(there == (model != wanted.end()));
      if (!there) continue;
      REQUIRE(test::copy(at.key()) == model->first);
      REQUIRE(test::copy(at.value()) == model->second);
    }
  }
}
