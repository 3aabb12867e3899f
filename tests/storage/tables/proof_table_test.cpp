// The proofs that blocks are final: they are stored with the blocks and returned with runs of
// blocks.
#include <doctest/doctest.h>

#include "tests/storage/tables/ledger_chain.hpp"
#include "tests/support/process_end.hpp"

using namespace soma;
using namespace soma::tables;
using soma::test::asserts;
using soma::test::made_block;
using soma::test::scratch_directory;

namespace {

ledger_options small() {
  return {.map_bytes = std::size_t{256} << 20};
}

/// Blocks of random size in epochs of random length, some of them proven.
class proven_chain {
 public:
  explicit proven_chain(std::uint64_t seed) : random_(seed), rare_(2 + seed % 9) {}

  std::vector<made_block> made;  // [0] is height 1

  const made_block& next() {
    const auto height = made.size() + 1;
    std::vector<signed_transaction> payload(random_() % 3);
    for (auto& sent : payload) sent.body = test::random_bytes(random_, random_() % 300);
    auto block = test::make_block(height, std::move(payload));
    auto& h = block.content.header;
    h.epoch = {epoch_};
    h.view = {height};
    const bool closes = random_() % 6 == 0;
    if (closes) {
      h.flags = block_closes_epoch;
      ++epoch_;
      if (random_() % 5 != 0) block.epoch_end = test::end_for(h, random_() % 3);
    }
    if (random_() % rare_ == 0) block.final = test::final_for(h);
    auto row = test::chain_row_at(height);
    row.epoch = {epoch_};
    block.changes = {{chain_key(), encode(row)}};
    made.push_back(std::move(block));
    return made.back();
  }

  /// The run by its definition: the longest run that is proven and fits, or else the shortest one
  /// that is proven.
  [[nodiscard]] final_run run_after(std::uint64_t height, std::size_t max_bytes,
                                    std::size_t max_count) const {
    final_run best;
    final_run so_far;
    std::size_t size = 0;
    for (auto i = height; i < made.size(); ++i) {
      const auto& m = made[i];
      if (i == height) so_far.epoch = m.content.header.epoch;
      if (m.content.header.epoch != so_far.epoch) break;
      so_far.blocks.push_back(m.content);
      for (const auto& sent : m.content.payload) size += sent.body.size() + 64;
      const bool fits = so_far.blocks.size() <= max_count && size <= max_bytes;
      so_far.final = m.final;
      so_far.epoch_end = m.epoch_end;
      if ((m.final || m.epoch_end) && (fits || best.blocks.empty())) best = so_far;
    }
    return best;
  }

 private:
  std::mt19937_64 random_;
  std::uint64_t rare_;
  std::uint64_t epoch_ = 0;
};

void begin(ledger_store& store) {
  const row_change chain{chain_key(), encode(chain_row{})};
  store.init(test::genesis_bytes(), {&chain, 1});
}

}  // namespace

TEST_CASE(
    "certificates and ends of epochs are there with their blocks, before and after a reopen") {
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    CAPTURE(seed);
    scratch_directory dir;
    proven_chain chain(seed);
    for (int life = 0; life < 3; ++life) {
      ledger_store store(dir.path(), small());
      if (life == 0) begin(store);
      const auto view = store.view();
      const auto check = [&] {
        std::map<std::uint64_t, epoch_proof> ends;
        for (const auto& m : chain.made) {
          CHECK(store.view().final_at(m.content.header.height) == m.final);
          if (m.epoch_end) ends[m.content.header.epoch.value] = *m.epoch_end;
        }
        for (std::uint64_t epoch = 0; epoch < 12; ++epoch) {
          const auto found = store.view().epoch_end({epoch});
          REQUIRE(found.has_value() == ends.contains(epoch));
          if (found) CHECK(*found == ends[epoch]);
        }
      };
      check();
      for (int i = 0; i < 10; ++i) chain.next().commit_to(store);
      check();
      // A view sees the state of its own moment.
      CHECK_FALSE(view.final_at({chain.made.size()}).has_value());
    }
  }
}

TEST_CASE("a run of final blocks is the longest that fits and is proven, or the shortest proven") {
  std::size_t runs = 0, cut = 0, too_large = 0, ends = 0, none = 0;
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    CAPTURE(seed);
    scratch_directory dir;
    ledger_store store(dir.path(), small());
    begin(store);
    proven_chain chain(seed);
    for (int i = 0; i < 40; ++i) chain.next().commit_to(store);
    const auto view = store.view();
    std::mt19937_64 random(seed);
    for (std::uint64_t height = 0; height <= 41; ++height) {
      CAPTURE(height);
      for (const auto max_bytes : {std::size_t{0}, std::size_t{random() % 3'000}, SIZE_MAX}) {
        for (const auto max_count : {std::size_t{0}, std::size_t{random() % 10}, SIZE_MAX}) {
          const auto wanted = chain.run_after(height, max_bytes, max_count);
          const auto found = view.blocks_after({height}, max_bytes, max_count);
          REQUIRE(found.blocks == wanted.blocks);
          none += found.blocks.empty();
          if (found.blocks.empty()) continue;
          REQUIRE(found.epoch == wanted.epoch);
          REQUIRE(found.final == wanted.final);
          REQUIRE(found.epoch_end == wanted.epoch_end);
          ++runs;
          too_large += found.blocks.size() > max_count;
          ends += found.epoch_end.has_value();
          cut +=
              found.blocks.size() < view.blocks_after({height}, SIZE_MAX, SIZE_MAX).blocks.size();
        }
      }
    }
  }
  CHECK(runs > 1'000);
  CHECK(cut > 100);
  CHECK(too_large > 100);
  CHECK(ends > 100);
  CHECK(none > 100);
}

TEST_CASE("a proof of another block is never stored") {
  scratch_directory dir;
  ledger_store store(dir.path(), small());
  begin(store);
  const auto height_one = [] {
    auto made = test::make_block(1, {});
    made.final = test::final_for(made.content.header);
    made.epoch_end = test::end_for(made.content.header, 1);
    return made;
  };
  auto other = height_one();
  other.final->statement.block.value[0] ^= 1;
  CHECK(asserts([&] { other.commit_to(store); }));
  other = height_one();
  other.final->statement.kind = vote_kind::notarize;
  CHECK(asserts([&] { other.commit_to(store); }));
  other = height_one();
  other.epoch_end->headers.front().view.value++;
  CHECK(asserts([&] { other.commit_to(store); }));
  CHECK(store.view().height().value == 0);
  height_one().commit_to(store);
  CHECK(store.view().height().value == 1);
}
