#include "actors/execution/ledger_position.hpp"

#include <doctest/doctest.h>

#include "actors/execution/execution_tree.hpp"
#include "tests/actors/execution/forked_chain.hpp"
#include "tests/support/scratch.hpp"

namespace soma::test {
namespace {

certificate certificate_for(const identified_block& of) {
  certificate c;
  c.statement = {vote_kind::finalize, of.block.header.epoch, of.block.header.view, of.id};
  c.signers.add({0});
  c.signatures.emplace_back();
  return c;
}

TEST_CASE("a ledger says where its chain stands, in the middle of an epoch and between two") {
  for (std::uint64_t seed = 20; seed < 24; ++seed) {
    CAPTURE(seed);
    scratch_directory directory;
    forked_chain chain(seed);
    tables::ledger_store ledger(directory.path());
    ledger.init(encode(chain.genesis), rules::genesis_rows(chain.genesis));
    const auto id = signing::chain_id_of(chain.genesis);
    std::map<std::uint64_t, hash256> closed;  // the entropy, by epoch
    const auto seed_of = [&](std::uint64_t epoch) {
      return epoch < 2 ? id.as<hash_tag>() : closed.at(epoch - 2);
    };
    auto at = chain.start();
    const execution::ledger_archive archive(ledger);
    for (int i = 0; i < 30; ++i) {
      CAPTURE(i);
      const auto& header = at.block->block.header;
      const auto now = ledger::read_chain(at.after->rows);
      const auto position =
          execution::position_of(ledger.view(), chain.genesis, at.after->tree.root());
      CHECK(position.chain == id);
      CHECK(position.epoch == now.epoch);
      CHECK(position.view == (header.epoch == now.epoch ? header.view : view_number{}));
      CHECK(position.block == at.block->id);
      CHECK(position.height.value == static_cast<std::uint64_t>(i));
      CHECK(position.time_ms == now.time_ms);
      CHECK(position.root == at.after->tree.root());
      CHECK(position.epoch_start_ms == now.epoch_start_ms);
      CHECK(position.epoch_end_ms == now.epoch_start_ms + chain.genesis.parameters.epoch_ms);
      CHECK(position.seats == ledger::read_committee(at.after->rows).seats);
      CHECK(position.leader_seed == seed_of(now.epoch.value));
      CHECK(position.next_leader_seed == seed_of(now.epoch.value + 1));
      CHECK(position.final.has_value() == (i > 0 && i % 3 == 0));
      CHECK(execution::last_block_of(ledger.view(), chain.genesis) == at.block->id);

      at = chain.next(at);
      std::optional<certificate> final;
      if ((i + 1) % 3 == 0) final = certificate_for(*at.block);
      ledger.commit_block(at.block->block, at.after->last.changes, at.after->last.events, final);
      if (at.after->last.epoch_closed) {
        closed[at.block->block.header.epoch.value] = at.after->last.chain.entropy;
      }
      const auto found = archive.find(at.block->id);
      REQUIRE(found != nullptr);
      CHECK(found->id == at.block->id);
      CHECK(found->block == at.block->block);
    }
    CHECK(closed.size() > 3);
    CHECK(archive.find(id.as<block_tag>()) == nullptr);
    CHECK(archive.after({30}, SIZE_MAX, 64).blocks.empty());
    const auto run = archive.after({0}, SIZE_MAX, 64);
    REQUIRE_FALSE(run.blocks.empty());
    CHECK(run.blocks.back()->id == run.final->statement.block);
  }
}

}  // namespace
}  // namespace soma::test
