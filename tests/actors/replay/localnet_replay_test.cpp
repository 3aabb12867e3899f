// Chains of whole simulated networks, executed again from their blocks.
#include <doctest/doctest.h>

#include <set>

#include "actors/ledger/queries.hpp"
#include "actors/replay/chain_replay.hpp"
#include "messages/codec/codec.hpp"
#include "storage/tables/ledger_store.hpp"
#include "tests/actors/support/small_network.hpp"
#include "tests/support/program.hpp"

using namespace soma;
using namespace soma::localnet;
using namespace soma::scorer;
using soma::replay::chain_replay;

namespace {

struct recorded_chain {
  soma::genesis genesis;
  std::vector<block> blocks;
  chain_row last;
  state_root root;
};

recorded_chain chain_of_network(std::uint64_t seed, unsigned validators = 1) {
  const soma::support::scratch_folder folder;
  auto options = test::small_network(folder.path(), seed);
  options.with_cheats = seed % 2 == 0;
  options.validators = validators;
  const auto report = run_localnet(options);
  REQUIRE_MESSAGE(report.has_value(), (report ? std::string() : report.error()));
  // The ledgers of all validators are equal.
  const tables::ledger_store ledger(folder.path() / (validators > 1 ? "ledger-3" : "ledger"));
  recorded_chain chain;
  chain.genesis = *decode<soma::genesis>(*ledger.genesis());
  for (block_height h{1}; h <= ledger.view().height(); h = h.next()) {
    chain.blocks.push_back(*ledger.block_at(h));
  }
  chain.last = *ledger.chain();
  REQUIRE(!chain.blocks.empty());
  chain.root = chain.blocks.back().header.state_root;
  return chain;
}

std::unique_ptr<replay::row_store> in_memory() {
  return std::make_unique<replay::memory_rows>();
}

/// Lets a replay take the whole chain in.
void replay_all(const recorded_chain& chain, chain_replay& again) {
  for (const auto& b : chain.blocks) {
    const auto height = b.header.height.value;
    CAPTURE(height);
    const auto done = again.next(b);
    REQUIRE_MESSAGE(done.has_value(),
                    (done ? std::string() : std::string(to_text(done.error().kind))));
  }
}

}  // namespace

// Protocol §10.3 and §10.5.
TEST_CASE("the blocks of a network, executed once more, give every state root again") {
  for (const std::uint64_t seed : {21u, 22u}) {
    CAPTURE(seed);
    const auto chain = chain_of_network(seed);
    REQUIRE(chain.blocks.size() > 50);
    chain_replay again(chain.genesis, in_memory());
    replay_all(chain, again);
    CHECK(again.root() == chain.root);
    CHECK(again.chain() == chain.last);
    CHECK(ledger::supply_is_whole(again.rows()));
    // The number of threads and the kind of row store make no difference.
    const soma::support::scratch_folder folder;
    const auto scratch = folder / "rows";
    {
      chain_replay other(chain.genesis, std::make_unique<replay::scratch_rows>(scratch), 3);
      replay_all(chain, other);
      CHECK(other.root() == chain.root);
      CHECK(other.chain() == chain.last);
      CHECK_THROWS(replay::scratch_rows(scratch));
    }
    CHECK_FALSE(std::filesystem::exists(scratch));
  }
}

TEST_CASE("the blocks of a network of four give every state root again, by all its proposers") {
  const auto chain = chain_of_network(24, 4);
  REQUIRE(chain.blocks.size() > 50);
  chain_replay again(chain.genesis, in_memory());
  replay_all(chain, again);
  CHECK(again.root() == chain.root);
  CHECK(again.chain() == chain.last);
  CHECK(ledger::supply_is_whole(again.rows()));
  std::set<seat_index> proposers;
  epoch_number epoch{UINT64_MAX};
  for (const auto& b : chain.blocks) {
    const bool is_first = b.header.epoch != epoch;
    epoch = b.header.epoch;
    CHECK((b.header.parent_view.value == 0) == is_first);
    CHECK(b.parent_signers.empty() == is_first);
    if (!is_first) CHECK(b.parent_signers.count() >= 3);
    proposers.insert(b.header.proposer);
  }
  CHECK(proposers.size() == 4);
}

TEST_CASE("a flipped bit anywhere in a block is found, and the block as it was still follows") {
  const auto chain = chain_of_network(23);
  chain_replay again(chain.genesis, in_memory());
  std::size_t unreadable = 0, refuted = 0;
  for (const auto& b : chain.blocks) {
    const auto height = b.header.height.value;
    CAPTURE(height);
    bytes whole = encode(b);
    // Flips every bit of a few blocks and some bits of all others, beginning at another bit in
    // each.
    const std::size_t bits = whole.size() * 8;
    const std::size_t step = height % 40 == 7 ? 1 : bits / 48;
    for (std::size_t bit = height % step; bit < bits; bit += step) {
      CAPTURE(bit);
      whole[bit / 8] = static_cast<std::uint8_t>(whole[bit / 8] ^ (1u << bit % 8));
      const auto damaged = decode<block>(whole);
      if (damaged) {
        REQUIRE_FALSE(again.next(*damaged).has_value());
        ++refuted;
      } else {
        ++unreadable;
      }
      whole[bit / 8] = static_cast<std::uint8_t>(whole[bit / 8] ^ (1u << bit % 8));
    }
    REQUIRE(again.next(b).has_value());
  }
  CHECK(refuted > 2'000);
  CHECK(unreadable > 50);
  CHECK(again.root() == chain.root);
}

TEST_CASE("blocks left out, repeated or in another order are found") {
  const auto chain = chain_of_network(25);
  chain_replay again(chain.genesis, in_memory());
  for (std::size_t i = 0; i < chain.blocks.size(); ++i) {
    CAPTURE(i);
    for (const std::size_t other : {i + 1, i + 2, i - 1, std::size_t{0}}) {
      if (other >= chain.blocks.size() || other == i) continue;
      const auto wrong = again.next(chain.blocks[other]);
      REQUIRE_FALSE(wrong.has_value());
      CHECK(wrong.error().kind == replay::fault::wrong_height);
    }
    REQUIRE(again.next(chain.blocks[i]).has_value());
  }
}
