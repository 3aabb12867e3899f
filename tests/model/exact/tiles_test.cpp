#include "model/exact/tiles.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <vector>

using namespace soma;

TEST_CASE("every tile is done once, by any number of threads") {
  for (const unsigned threads : {1u, 2u, 3u, 8u}) {
    exact::tile_pool pool(threads);
    for (const std::size_t tiles : {0, 1, 2, 3, 7, 64, 1'000}) {
      for (int round = 0; round < 20; ++round) {
        std::vector<std::atomic<int>> done(tiles);
        std::atomic<bool> bad_worker{false};
        pool.run(tiles, [&](std::size_t tile, unsigned worker) {
          ++done[tile];
          if (worker >= threads) bad_worker = true;
        });
        CHECK(!bad_worker);
        for (const auto& count : done) CHECK(count == 1);
      }
    }
  }
}
