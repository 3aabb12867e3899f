#include "deploy/soma/bench/bench_ledger_reads.hpp"

#include <doctest/doctest.h>

#include "deploy/soma/bench/bench_ledger_world.hpp"
#include "tests/support/scratch.hpp"

using namespace soma;
using namespace soma::cli;

TEST_CASE("each command that reads a ledger has a row, measured on both ledgers") {
  const test::scratch_directory dir;
  for (const auto* name : {"old", "new"}) {
    ledger_world world({dir.path() / name, 2'000, 2'000, 64, 1, false});
    using traffic = ledger_world::traffic;
    if (name == std::string_view("old")) {
      std::size_t refused = 0;
      for (int i = 0; i < 20; ++i) {
        refused += world.run(world.next_block(traffic::history), traffic::history).refused;
      }
      CHECK(refused == 0);
    }
    // The first epoch opens the targets of the second, which is then the last that is over.
    for (int i = 0; i < 2; ++i) world.run(world.next_block(traffic::empty, true), traffic::empty);
  }
  const auto rows = compare_reads(dir.path() / "old", dir.path() / "new", " after 20 blocks", 0.05);
  REQUIRE(rows.size() == 5);
  for (const auto& row : rows) {
    CHECK(row.compared.starts_with("what `soma "));
    CHECK(row.compared.ends_with(" after 20 blocks"));
    CHECK(row.ours_seconds > 0);
    CHECK(row.peer_seconds > 0);
  }
}
