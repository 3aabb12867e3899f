#include "actors/blob_keeper/caretaker.hpp"

#include <doctest/doctest.h>

#include "tests/support/scratch.hpp"

namespace soma::test {
namespace {

using blob_keeper::caretaker;
using blob_keeper::caretaker_options;

constexpr std::size_t mib = std::size_t{1} << 20;

struct cared_store {
  cared_store() {
    blobs::blob_options options;
    options.now_ms = [this] { return now_ms; };
    disk = std::make_shared<blobs::blob_store>(folder.path() / "blobs", options);
  }
  blob_id put(std::size_t size) { return *disk->put(random_bytes(random, size)); }
  void damage(const blob_id& blob, std::size_t at) const {
    flip(folder.path() / "blobs" / "whole" / to_hex(blob.value), at);
  }
  scratch_directory folder;
  std::uint64_t now_ms = 1'000'000;
  std::mt19937_64 random{1};
  std::shared_ptr<blobs::blob_store> disk;
};

const auto all_needed = [](const blob_id&) { return true; };

}  // namespace

// By security §9.5 a pass reads every chunk, at a bounded rate.
TEST_CASE("every damaged chunk is found within a pass, and reading keeps to its rate") {
  cared_store store;
  std::vector<blob_id> all;
  for (int i = 0; i < 6; ++i) all.push_back(store.put(2 * mib + 10));
  caretaker_options options;
  options.scrub_bytes_per_s = 2 * mib;
  options.scrub_every_ms = 60'000;
  caretaker care(store.disk, options);
  store.damage(all[1], 2 * mib + 5);
  store.damage(all[4], 17);
  std::vector<blob_id> damaged;
  std::uint64_t last_ms = 0;
  for (std::uint64_t ms = 0; ms <= 59'000; ms += 100) {
    const auto found = care.step(ms, all_needed);
    damaged.insert(damaged.end(), found.damaged.begin(), found.damaged.end());
    if (!found.damaged.empty()) last_ms = ms;
  }
  std::ranges::sort(damaged);
  std::vector<blob_id> expected{all[1], all[4]};
  std::ranges::sort(expected);
  CHECK(damaged == expected);
  CHECK_FALSE(store.disk->have(all[1]));
  // 18 chunks at two a second; the last blob that is read may be the first that was put.
  CHECK(last_ms >= 1'000);
  CHECK(last_ms <= 10'000);
  // Damage after the pass is found in the next one.
  store.damage(all[0], 3);
  CHECK(care.step(59'900, all_needed).damaged.empty());
  damaged.clear();
  for (std::uint64_t ms = 60'000; ms <= 75'000; ms += 100) {
    const auto found = care.step(ms, all_needed);
    damaged.insert(damaged.end(), found.damaged.begin(), found.damaged.end());
  }
  CHECK(damaged == std::vector<blob_id>{all[0]});
}

// By security §9.5. The age of a blob counts from its put, and again from when it was last needed.
TEST_CASE("a blob goes when nothing has needed it for its time, not before") {
  cared_store store;
  const auto a = store.put(100), b = store.put(200);
  caretaker_options options;
  options.collect_every_ms = 10;
  options.unneeded_ms = 1'000;
  caretaker care(store.disk, options);
  bool is_b_needed = true;
  const auto is_needed = [&](const blob_id& blob) { return blob == b && is_b_needed; };
  std::uint64_t ms = 5'000;
  const auto pass = [&](std::uint64_t for_ms) {
    std::vector<blob_id> removed;
    for (const auto until = ms + for_ms; ms < until; ms += 10, store.now_ms += 10) {
      const auto found = care.step(ms, is_needed);
      removed.insert(removed.end(), found.removed.begin(), found.removed.end());
    }
    return removed;
  };
  CHECK(pass(900).empty());
  CHECK(pass(300) == std::vector<blob_id>{a});
  CHECK(pass(5'000).empty());
  is_b_needed = false;
  CHECK(pass(900).empty());
  is_b_needed = true;  // for a moment
  CHECK(pass(50).empty());
  is_b_needed = false;
  CHECK(pass(900).empty());
  CHECK(pass(300) == std::vector<blob_id>{b});
  CHECK(store.disk->list().empty());
}

}  // namespace soma::test
