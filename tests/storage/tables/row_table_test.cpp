#include "storage/tables/row_table.hpp"

#include <doctest/doctest.h>

#include <map>

#include "tests/storage/tables/ledger_chain.hpp"
#include "tests/support/scratch.hpp"

using namespace soma;
using namespace soma::tables;
using soma::test::make_block;
using soma::test::scratch_directory;

TEST_CASE("the numbers of models follow every change of a model, and a reopening") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    const scratch_directory dir;
    std::map<model_id, model_status> models;
    const auto counted = [&] {
      std::map<model_status, std::uint64_t> counts;
      for (const auto& [id, status] : models) ++counts[status];
      return counts;
    };
    {
      ledger_store store(dir.path());
      store.init(test::genesis_bytes(),
                 std::vector<row_change>{{chain_key(), encode(chain_row{})}});
      for (std::uint64_t height = 1; height <= 30; ++height) {
        auto made = make_block(height, {});
        for (int i = 0; i < 5; ++i) {
          model_id id;
          id.value.fill(static_cast<std::uint8_t>(random() % 20));
          if (random() % 5 == 0) {
            models.erase(id);
            made.changes.push_back({model_key(id), std::nullopt});
            continue;
          }
          model_row row;
          row.status = random() % 2 == 0 ? model_status::active : model_status::inactive;
          row.commission_bps = static_cast<std::uint32_t>(random() % 100);
          models[id] = row.status;
          made.changes.push_back({model_key(id), encode(row)});
        }
        made.commit_to(store);
        REQUIRE(store.view().model_counts() == counted());
      }
    }
    CHECK(ledger_store(dir.path()).view().model_counts() == counted());
  }
}
