// A child process writes, and reports through a pipe what was acknowledged; it is killed at a
// random moment. Then the test opens what the child left and compares: nothing acknowledged may be
// missing, and nothing half written may be visible.
#include <doctest/doctest.h>
#include <unistd.h>

#include <functional>

#include "messages/crypto/merkle.hpp"
#include "storage/blobs/blob_store.hpp"
#include "storage/tables/ledger_store.hpp"
#include "tests/storage/tables/ledger_chain.hpp"
#include "tests/support/killed.hpp"
#include "tests/support/scratch.hpp"

using namespace soma;
using namespace soma::blobs;
using namespace soma::tables;
using soma::test::killed;
using soma::test::random_bytes;
using soma::test::report;
using soma::test::scratch_directory;

TEST_CASE(
    "a ledger whose writer is killed 220 times holds every acknowledged block whole and no part of "
    "another") {
  const std::uint64_t seed = 20'261;
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  const ledger_options options{.map_bytes = std::size_t{512} << 20};
  std::uint64_t unacknowledged = 0;  // blocks that were committed before their report was cut off
  std::uint64_t blocks = 0;
  for (std::uint64_t round = 0; round < 4; ++round) {
    const scratch_directory dir;
    test::ledger_model chain(seed + round);
    for (int kill = 0; kill < 55; ++kill) {
      CAPTURE(round);
      CAPTURE(kill);
      const auto write = [&](const report& acknowledge) {
        ledger_store store(dir.path(), options);
        test::ledger_model mine = chain;
        // The first kills of a round may strike while the ledger is being made.
        acknowledge(mine.height());
        if (!store.initialised()) store.init(test::genesis_bytes(), mine.genesis_rows());
        for (;;) {
          const auto made = mine.next();
          made.commit_to(store);
          acknowledge(mine.height());
        }
      };
      const auto reported = killed(random, write);
      REQUIRE_FALSE(reported.empty());
      ledger_store store(dir.path(), options);
      const std::uint64_t height = store.view().height().value;
      REQUIRE(height >= reported.back());
      REQUIRE(height <= reported.back() + 1);
      unacknowledged += height - reported.back();
      if (!store.initialised()) {
        REQUIRE(height == 0);
        REQUIRE_FALSE(store.genesis().has_value());
        continue;
      }
      blocks += height - chain.height();
      while (chain.height() < height) (void)chain.next();
      chain.check(store);
    }
  }
  MESSAGE("blocks " << blocks << ", of them committed but not yet reported " << unacknowledged);
  CHECK(blocks > 220);
}

TEST_CASE(
    "a blob store whose writer is killed 220 times has every acknowledged blob whole and shows no "
    "other") {
  const std::uint64_t seed = 20'262;
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  const scratch_directory dir;
  // Blob n is small or has several chunks. Each blob is put by a chunked writer or in one call.
  const auto blob = [&](std::uint64_t number) {
    std::mt19937_64 own(seed + number);
    const std::size_t chunk = crypto::blob_chunk_bytes;
    bytes data = random_bytes(own, 16 + own() % 4'000);
    if (number % 8 == 0) data.resize(chunk + data.size(), static_cast<std::uint8_t>(number));
    return data;
  };
  const auto write_from = [&](std::uint64_t number, const report& acknowledge) {
    blob_store store(dir.path());
    acknowledge(number);
    for (;; ++number) {
      const bytes data = blob(number);
      if (number % 3 == 0) {
        std::vector<hash256> hashes;
        const std::size_t chunk = crypto::blob_chunk_bytes;
        const auto part = [&](std::size_t i) {
          return byte_view(data).subspan(i * chunk, std::min(chunk, data.size() - i * chunk));
        };
        for (std::size_t i = 0; i * chunk < data.size(); ++i) {
          hashes.push_back(crypto::chunk_hash(part(i)));
        }
        auto writer = store.begin_put(data.size(), hashes);
        if (!writer) ::_exit(5);
        for (const auto i : writer->missing()) {
          if (!writer->put_chunk(i, part(i))) ::_exit(6);
        }
        if (!writer->finish()) ::_exit(7);
      } else if (!store.put(data)) {
        ::_exit(8);
      }
      acknowledge(number + 1);  // all blobs before this number are kept
    }
  };
  std::uint64_t kept = 0;
  std::uint64_t leftovers = 0;
  for (int kill = 0; kill < 220; ++kill) {
    CAPTURE(kill);
    const auto reported =
        killed(random, [&](const report& acknowledge) { write_from(kept, acknowledge); });
    REQUIRE_FALSE(reported.empty());
    const std::uint64_t before = kept;
    kept = reported.back();
    blob_store store(dir.path());
    for (std::uint64_t number = before; number < kept; ++number) {
      const bytes data = blob(number);
      REQUIRE(store.get(crypto::blob_id_of(data)) == data);
    }
    // No other blob is visible, except perhaps the one whose report was cut off; that one is whole
    // too.
    const auto shown = store.list();
    const bool ahead = store.have(crypto::blob_id_of(blob(kept)));
    REQUIRE(shown.size() == kept + (ahead ? 1 : 0));
    for (const auto& id : shown) REQUIRE(store.open(id).has_value());
    if (ahead) REQUIRE(store.get(crypto::blob_id_of(blob(kept))) == blob(kept));
    const auto unfinished =
        std::distance(std::filesystem::directory_iterator(dir.path() / "incoming"), {});
    REQUIRE(unfinished <= 1);
    leftovers += static_cast<std::uint64_t>(unfinished);
  }
  blob_store store(dir.path());
  for (std::uint64_t number = 0; number < kept; ++number) {
    const bytes data = blob(number);
    REQUIRE(store.get(crypto::blob_id_of(data)) == data);
  }
  MESSAGE("blobs " << kept << ", puts found unfinished " << leftovers);
  CHECK(kept > 220);
  CHECK(leftovers > 0);
}
