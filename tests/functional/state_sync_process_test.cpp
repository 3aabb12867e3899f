// A node that comes late to a network of real processes takes the ledger over as a snapshot.
#include <doctest/doctest.h>
#include <signal.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "messages/signing/signing.hpp"
#include "storage/tables/ledger_store.hpp"
#include "tests/functional/validator_network.hpp"

using namespace soma;
using namespace soma::support;

namespace {

constexpr std::size_t late = 4;

tables::ledger_store read_beside(const std::filesystem::path& home) {
  return tables::ledger_store(home / "ledger", {std::size_t{64} << 30U, true});
}

/// Four validators with short epochs, of which two are over, and a follower that has never run.
struct old_network {
  explicit old_network(const std::string& more = "sync = \"state\"\n") : all(options()) {
    std::ofstream(all.config(late), std::ios::app) << more;
    for (std::size_t i = 0; i < late; ++i) all.start(i);
    REQUIRE(comes([&] { return epoch_at(0) >= 3 && has_snapshot(); }));
  }
  static validator_network_options options() {
    validator_network_options wanted;
    wanted.binary = SOMA_BINARY;
    wanted.followers = 1;
    wanted.epoch_seconds = 3;
    return wanted;
  }
  [[nodiscard]] std::uint64_t epoch_at(std::size_t node) const {
    if (all.height(node) == 0) return 0;
    return read_beside(all.home(node)).chain()->epoch.value;
  }
  [[nodiscard]] bool has_snapshot() const {
    std::error_code none;
    const auto folder = all.home(0) / "snapshots";
    return std::filesystem::exists(folder, none) && !std::filesystem::is_empty(folder, none);
  }
  validator_network all;
};

/// The late node has the same chain as the first one, from the height of the snapshot on.
void check_ledger(const old_network& n, block_height taken) {
  const auto mine = read_beside(n.all.home(late)), theirs = read_beside(n.all.home(0));
  const auto top = mine.chain()->height;
  for (block_height h{1}; h <= taken; h = h.next()) CHECK_FALSE(mine.block_at(h).has_value());
  for (auto h = taken.next(); h <= top; h = h.next()) {
    CAPTURE(h.value);
    const auto here = mine.block_at(h), there = theirs.block_at(h);
    REQUIRE(here.has_value());
    REQUIRE(there.has_value());
    CHECK(signing::id_of(here->header) == signing::id_of(there->header));
  }
  // It can prove all epochs since the genesis to nodes that come later.
  const auto view = mine.view();
  for (epoch_number e{}; e < mine.chain()->epoch; e = e.next()) {
    CHECK(view.epoch_end(e).has_value());
  }
  CHECK(view.blocks_after({1}, SIZE_MAX, 64).blocks.empty());
}

/// The height at which the node says it has taken the ledger over; 0 when it has not.
block_height taken_at(const std::string& said) {
  const std::string words = "the ledger is here as it was after block ";
  const auto at = said.find(words);
  return {at == said.npos ? 0 : std::stoull(said.substr(at + words.size()))};
}

/// The lowest block that the ledger of this home has.
block_height first_block(const std::filesystem::path& home) {
  const auto ledger = read_beside(home);
  const auto top = ledger.chain()->height;
  block_height h{1};
  while (h < top && !ledger.block_at(h)) h = h.next();
  return h;
}

}  // namespace

TEST_CASE("a node that comes late takes the ledger from the others and follows them") {
  old_network n;
  n.all.start(late);
  REQUIRE(comes([&] { return taken_at(n.all.said(late)).value > 0; }));
  const auto taken = taken_at(n.all.said(late));
  INFO(n.all.said(late));
  REQUIRE(n.all.reaches(late, taken.value + 20));
  // When another epoch ends, the late node follows the others.
  const auto epoch = n.epoch_at(late);
  REQUIRE(comes([&] { return n.epoch_at(late) > epoch; }));
  CHECK(n.all.said(late).find("ALARM") == std::string::npos);
  REQUIRE(n.all.stop(late));
  REQUIRE(n.all.reaches(0, n.all.height(late)));
  check_ledger(n, taken);
  // A node that has a ledger does not take it over again when it starts.
  n.all.start(late);
  REQUIRE(n.all.reaches(late, n.all.height(late) + 10));
  CHECK(taken_at(n.all.said(late)).value == 0);
  MESSAGE("taken at " << taken.value << " of " << n.all.greatest_height());
}

TEST_CASE("killed at any moment of it, the late node ends with the ledger all the same") {
  old_network n;
  for (const auto pause_ms : {300, 2'000, 2'200, 2'400, 2'600}) {
    n.all.start(late);
    std::this_thread::sleep_for(std::chrono::milliseconds(pause_ms));
    n.all.kill(late);
  }
  n.all.start(late);
  REQUIRE_MESSAGE(comes([&] { return n.all.height(late) > 0; }), n.all.said_ever(late));
  REQUIRE_MESSAGE(n.all.reaches(late, n.all.height(late) + 10), n.all.said_ever(late));
  // One that was killed may have taken the ledger, and may have been killed before it said so.
  const auto taken = first_block(n.all.home(late)).value - 1;
  INFO(n.all.said_ever(late));
  REQUIRE(taken > 0);
  REQUIRE(n.all.stop(late));
  REQUIRE(n.all.reaches(0, n.all.height(late)));
  check_ledger(n, {taken});
}

TEST_CASE("if no node keeps snapshots a late node executes all blocks, and says so") {
  auto wanted = old_network::options();
  wanted.pace += "snapshots = \"none\"\n";
  wanted.epoch_seconds = 600;
  validator_network all(wanted);
  std::ofstream(all.config(late), std::ios::app) << "sync = \"state\"\n";
  for (std::size_t i = 0; i < late; ++i) all.start(i);
  REQUIRE(all.reaches(0, 10));
  all.start(late);
  REQUIRE(all.reaches(late, 10));
  CHECK(all.said(late).find("all blocks are executed instead") != std::string::npos);
  CHECK(all.fork() == "");
}
