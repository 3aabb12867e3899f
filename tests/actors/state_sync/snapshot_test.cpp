// A ledger is taken over chunk by chunk, from honest and other peers, by a receiver that may be
// killed.
#include "actors/state_sync/snapshot.hpp"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "actors/execution/execution_tree.hpp"
#include "actors/execution/ledger_position.hpp"
#include "storage/tables/ledger_loader.hpp"
#include "tests/actors/execution/forked_chain.hpp"
#include "tests/storage/tables/ledger_chain.hpp"

namespace soma::test {
namespace {

using execution::execution_tree;
using state_sync::chunk_refusal;
using state_sync::snapshot_folder;
using state_sync::snapshot_receiver;

/// A ledger at the base of an epoch, and the chain that goes on from there.
struct served {
  explicit served(std::uint64_t seed, int epochs = 3)
      : chain(seed), ledger(directory.path() / "ledger"), at(chain.start()) {
    ledger.init(encode(chain.genesis), rules::genesis_rows(chain.genesis));
    while (static_cast<int>(ends.size()) < epochs) step(ledger);
    tree = at.after->tree;
    closing = at.block->block.header;
    latest_ends = {*std::prev(ends.end(), 2), *std::prev(ends.end())};
  }
  void step(tables::ledger_store& first, tables::ledger_store* second = nullptr) {
    at = chain.next(at);
    const auto& header = at.block->block.header;
    std::optional<epoch_proof> end;
    if (at.after->last.epoch_closed) end = ends[header.epoch] = end_for(header, 1);
    for (auto* store : {&first, second}) {
      if (store == nullptr) continue;
      store->commit_block(at.block->block, at.after->last.changes, at.after->last.events,
                          std::nullopt, end);
    }
  }
  std::vector<bytes> chunks(std::uint64_t most_row_bytes = 250) const {
    snapshot_folder folder(directory.path() / "snapshots");
    folder.write(ledger.view(), tree, most_row_bytes);
    std::vector<bytes> all;
    for (std::uint32_t i = 0; i < folder.chunks(); ++i) all.push_back(folder.chunk(i).value());
    return all;
  }
  [[nodiscard]] std::filesystem::path beside(const char* name) const {
    return directory.path() / name;
  }

  scratch_directory directory;
  forked_chain chain;
  tables::ledger_store ledger;
  forked_block at;
  state_sync::epoch_ends ends, latest_ends;
  state_tree::tree tree;
  block_header closing;
};

std::map<bytes, bytes> rows_of(const tables::ledger_store& store) {
  std::map<bytes, bytes> rows;
  store.scan([&](byte_view key, byte_view value) {
    rows.emplace(copy(key), copy(value));
    return true;
  });
  return rows;
}

TEST_CASE("a ledger made of chunks stands where the other stands, and goes on with it") {
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    CAPTURE(seed);
    served from(seed);
    const auto chunks = from.chunks();
    REQUIRE(chunks.size() > 5);
    dice d{seed};
    for (std::size_t got = 0; got < chunks.size();) {  // the receiver starts anew from time to time
      snapshot_receiver receiver(from.beside("staging"), from.closing);
      REQUIRE(receiver.next() == got);
      REQUIRE_FALSE(receiver.complete());
      for (auto more = 1 + d.below(6); more > 0 && got < chunks.size(); --more) {
        REQUIRE(receiver.take(chunks[got++]).has_value());
      }
    }
    snapshot_receiver receiver(from.beside("staging"), from.closing);
    REQUIRE(receiver.complete());
    REQUIRE(receiver.take(chunks.back()).error() == chunk_refusal::not_next);
    const auto place = from.beside("taken");
    if (seed % 2 == 1) {  // an old ledger is in its place
      tables::ledger_store old(place);
      old.init(encode(from.chain.genesis), rules::genesis_rows(from.chain.genesis));
    }
    const auto done = receiver.finish(place, from.chain.genesis, from.latest_ends);
    REQUIRE(done.has_value());
    CHECK_FALSE(std::filesystem::exists(from.beside("staging")));
    CHECK_FALSE(std::filesystem::exists(from.beside("taken.new")));

    tables::ledger_store taken(place);
    CHECK(rows_of(taken) == rows_of(from.ledger));
    CHECK(taken.genesis() == from.ledger.genesis());
    CHECK(taken.view().height() == from.ledger.view().height());
    const auto check_positions = [&] {
      const auto& root = from.at.after->tree.root();
      const auto a = execution::position_of(taken.view(), from.chain.genesis, root);
      const auto b = execution::position_of(from.ledger.view(), from.chain.genesis, root);
      CHECK(a.block == b.block);
      CHECK(a.view == b.view);
      CHECK(a.height == b.height);
      CHECK(a.epoch == b.epoch);
      CHECK(a.seats == b.seats);
      CHECK(a.leader_seed == b.leader_seed);
      CHECK(a.next_leader_seed == b.next_leader_seed);
      CHECK(a.epoch_end_ms == b.epoch_end_ms);
      const execution_tree again(taken, from.chain.genesis);
      CHECK(again.base() == from.at.block->id);
      CHECK(again.tree().root() == root);
      CHECK(rows_of(taken) == rows_of(from.ledger));
    };
    check_positions();
    const auto height = from.closing.height;
    CHECK(taken.view().blocks_after(height, SIZE_MAX, 64).blocks.empty());
    CHECK(taken.view().blocks_after({1}, SIZE_MAX, 64).blocks.empty());
    for (int i = 0; i < 12; ++i) from.step(from.ledger, &taken);
    check_positions();
    CHECK(taken.view().blocks_after(height, SIZE_MAX, 64).blocks ==
          from.ledger.view().blocks_after(height, SIZE_MAX, 64).blocks);
    CHECK_FALSE(taken.view().blocks_after(height, SIZE_MAX, 64).blocks.empty());
  }
}

TEST_CASE("the tree of the ledger that was made is used at its start, and no other tree") {
  served from(11);
  const auto older = from.chain.start().after->tree;
  snapshot_receiver receiver(from.beside("staging"), from.closing);
  for (const auto& chunk : from.chunks()) REQUIRE(receiver.take(chunk).has_value());
  const auto place = from.beside("taken");
  const auto tree = receiver.finish(place, from.chain.genesis, from.latest_ends);
  REQUIRE(tree.has_value());
  CHECK(tree->root() == from.closing.state_root);
  tables::ledger_store taken(place);
  CHECK(execution_tree(taken, from.chain.genesis, *tree).tree().root() == tree->root());
  REQUIRE(older.root() != tree->root());
  CHECK(execution_tree(taken, from.chain.genesis, older).tree().root() == tree->root());
  // A ledger with a row too much shows whether the rows are read.
  tables::ledger_store longer(from.beside("longer"));
  tables::ledger_loader loader(longer);
  bytes chain;
  from.ledger.scan([&](byte_view key, byte_view value) {
    if (copy(key) == chain_key()) {
      chain = copy(value);
    } else {
      loader.put(key, value);
    }
    return true;
  });
  loader.put(bytes(33, 2), bytes{1});
  loader.finish(encode(from.chain.genesis), chain, from.latest_ends);
  CHECK(execution_tree(longer, from.chain.genesis).tree().root() != tree->root());
  CHECK(execution_tree(longer, from.chain.genesis, *tree).tree().root() == tree->root());
  // Once a block is there, the tree of the ledger before it does not fit any more.
  from.step(from.ledger, &taken);
  CHECK(execution_tree(taken, from.chain.genesis, *tree).tree().root() ==
        from.at.after->tree.root());
}

TEST_CASE(
    "chunks that are cut, flipped, of another ledger or out of turn are refused and not kept") {
  served from(7), other(8);
  const auto chunks = from.chunks(), foreign = other.chunks();
  snapshot_receiver receiver(from.beside("staging"), from.closing);
  dice d{7};
  for (std::uint32_t i = 0; i < chunks.size(); ++i) {
    CAPTURE(i);
    const auto refused = [&](byte_view data) {
      const bool taken = receiver.take(data).has_value();
      return !taken && receiver.next() == i &&
             !std::filesystem::exists(from.beside("staging") / ("chunk-" + std::to_string(i)));
    };
    const auto& chunk = chunks[i];
    for (int tries = 0; tries < 30; ++tries) {
      REQUIRE(refused(byte_view(chunk).first(d.below(chunk.size()))));
      auto flipped = chunk;
      flipped[d.below(flipped.size())] ^= static_cast<std::uint8_t>(1u << d.below(8));
      REQUIRE(refused(flipped));
    }
    auto longer = chunk;
    longer.push_back(0);
    REQUIRE(refused(longer));
    if (i + 1 < chunks.size()) REQUIRE(refused(chunks[i + 1]));
    if (i > 0) REQUIRE(refused(chunks[i - 1]));
    REQUIRE(refused(foreign[std::min<std::size_t>(i, foreign.size() - 1)]));
    auto less = state_sync::decode_chunk(chunk).value();  // a row is kept back
    if (!less.rows.empty()) {
      less.rows.erase(less.rows.begin() + static_cast<long>(d.below(less.rows.size())));
      REQUIRE(refused(state_sync::encode_chunk(less)));
    }
    REQUIRE(receiver.take(chunk).has_value());
  }
  CHECK(receiver.complete());
  CHECK_FALSE(state_sync::decode_chunk(bytes(state_sync::max_chunk_bytes + 1)).has_value());
}

TEST_CASE("what was damaged on the receiver's disk is asked for again") {
  served from(9);
  const auto chunks = from.chunks();
  for (std::uint32_t damaged = 0; damaged < chunks.size(); ++damaged) {
    CAPTURE(damaged);
    std::filesystem::remove_all(from.beside("staging"));
    {
      snapshot_receiver receiver(from.beside("staging"), from.closing);
      for (const auto& chunk : chunks) REQUIRE(receiver.take(chunk).has_value());
    }
    const auto file = from.beside("staging") / ("chunk-" + std::to_string(damaged));
    if (damaged % 2 == 0) {
      flip(file, chunks[damaged].size() / 2);
    } else {
      std::filesystem::resize_file(file, chunks[damaged].size() / 2);
    }
    snapshot_receiver receiver(from.beside("staging"), from.closing);
    CHECK(receiver.next() == damaged);
    for (auto i = damaged; i < chunks.size(); ++i) REQUIRE(receiver.take(chunks[i]).has_value());
    CHECK(receiver.complete());
  }
}

TEST_CASE("the folder of a serving node holds one whole snapshot, the latest") {
  served from(11);
  const auto folder = from.beside("snapshots");
  {
    snapshot_folder empty(folder);
    CHECK_FALSE(empty.height().has_value());
    CHECK_FALSE(empty.chunk(0).has_value());
  }
  const auto first = from.chunks();
  const auto first_height = from.closing.height;
  while (from.at.block->block.header.epoch.value < 4 || !from.at.after->last.epoch_closed) {
    from.step(from.ledger);
  }
  std::filesystem::create_directories(folder / "999999.new");  // left by a process that was killed
  std::filesystem::create_directories(folder / "somebody's");
  {
    snapshot_folder reopened(folder);
    CHECK(reopened.height() == first_height);
    REQUIRE(reopened.chunks() == first.size());
    for (std::uint32_t i = 0; i < first.size(); ++i) CHECK(reopened.chunk(i) == first[i]);
    CHECK_FALSE(std::filesystem::exists(folder / "999999.new"));
    reopened.write(from.ledger.view(), from.at.after->tree, 300);
    CHECK(reopened.height() == from.at.block->block.header.height);
    CHECK_FALSE(std::filesystem::exists(folder / std::to_string(first_height.value)));
    CHECK(std::filesystem::exists(folder / "somebody's"));
    snapshot_receiver receiver(from.beside("staging"), from.at.block->block.header);
    for (std::uint32_t i = 0; i < reopened.chunks(); ++i) {
      REQUIRE(reopened.chunk(i)->size() <= std::size_t{1} << 20);
      REQUIRE(receiver.take(*reopened.chunk(i)).has_value());
    }
    CHECK(receiver.complete());
  }
}

TEST_CASE(
    "a node that is killed while it takes a ledger over has the old or the new one, never a part") {
  served from(13);
  const auto chunks = from.chunks();
  const auto place = from.beside("taken");
  const auto old_rows = rules::genesis_rows(from.chain.genesis);
  std::size_t old_ones = 0, new_ones = 0;
  std::chrono::microseconds whole_time{};  // of the first receiver, which is not killed
  dice d{13};
  for (int round = 0; round < 24; ++round) {
    CAPTURE(round);
    std::filesystem::remove_all(place);
    {
      tables::ledger_store old(place);
      old.init(encode(from.chain.genesis), old_rows);
    }
    {
      snapshot_receiver receiver(from.beside("staging"), from.closing);
      for (auto i = receiver.next(); i < chunks.size(); ++i) {
        REQUIRE(receiver.take(chunks[i]).has_value());
      }
    }
    const auto child = ::fork();
    if (child == 0) {
      snapshot_receiver receiver(from.beside("staging"), from.closing);
      const bool done = receiver.finish(place, from.chain.genesis, from.latest_ends).has_value();
      ::_exit(done ? 0 : 1);
    }
    const auto start = std::chrono::steady_clock::now();
    int status = 0;
    if (round > 0) {
      const auto most = static_cast<std::uint64_t>(whole_time.count()) * 5 / 4;
      std::this_thread::sleep_for(std::chrono::microseconds(d.below(most + 1)));
      ::kill(child, SIGKILL);
    }
    ::waitpid(child, &status, 0);
    if (round == 0) {
      whole_time = std::chrono::duration_cast<std::chrono::microseconds>(
          std::chrono::steady_clock::now() - start);
    }
    REQUIRE((WIFSIGNALED(status) || WEXITSTATUS(status) == 0));
    tables::ledger_store found(place);
    const auto rows = rows_of(found);
    if (rows == rows_of(from.ledger)) {
      ++new_ones;
    } else {
      REQUIRE(rows.size() == old_rows.size());
      ++old_ones;
    }
  }
  MESSAGE(old_ones << " old, " << new_ones << " new");
  CHECK(old_ones > 0);
  CHECK(new_ones > 0);
}

}  // namespace
}  // namespace soma::test
