#include "actors/validator/ledger_position.hpp"

#include <doctest/doctest.h>

#include "actors/validator/speculation.hpp"
#include "tests/actors/validator/forked_chain.hpp"
#include "tests/storage/scratch.hpp"

namespace soma::test {
namespace {

certificate certificate_for(const named_block& of) {
  certificate c;
  c.what = {vote_kind::finalize, of.whole.header.epoch, of.whole.header.view, of.id};
  c.signers.add(0);
  c.signatures.emplace_back();
  return c;
}

TEST_CASE("a ledger says where its chain stands, in the middle of an epoch and between two") {
  for (std::uint64_t seed = 20; seed < 24; ++seed) {
    CAPTURE(seed);
    scratch_directory directory;
    forked_chain chain(seed);
    storage::ledger_store ledger(directory.path());
    ledger.init(encode(chain.born), rules::genesis_rows(chain.born));
    const auto id = rules::chain_id_of(chain.born);
    std::map<std::uint64_t, block_id> closed;  // by epoch
    const auto seed_of = [&](std::uint64_t epoch) {
      return epoch < 2 ? id.as<hash_tag>() : closed.at(epoch - 2).as<hash_tag>();
    };
    auto at = chain.start();
    const actors::ledger_archive archive(ledger);
    for (int i = 0; i < 30; ++i) {
      CAPTURE(i);
      const auto& header = at.whole->whole.header;
      const auto now = rules::read_chain(at.after->rows);
      const auto position = actors::position_of(ledger.view(), chain.born, at.after->tree.root());
      CHECK(position.chain == id);
      CHECK(position.epoch == now.epoch);
      CHECK(position.view == (header.epoch == now.epoch ? header.view : 0));
      CHECK(position.block == at.whole->id);
      CHECK(position.height.value == static_cast<std::uint64_t>(i));
      CHECK(position.time_ms == now.time_ms);
      CHECK(position.root == at.after->tree.root());
      CHECK(position.epoch_start_ms == now.epoch_start_ms);
      CHECK(position.epoch_end_ms == now.epoch_start_ms + chain.born.parameters.epoch_ms);
      CHECK(position.seats == rules::read_committee(at.after->rows).seats);
      CHECK(position.leader_seed == seed_of(now.epoch.value));
      CHECK(position.next_leader_seed == seed_of(now.epoch.value + 1));
      CHECK(position.final.has_value() == (i > 0 && i % 3 == 0));
      CHECK(actors::last_block_of(ledger.view(), chain.born) == at.whole->id);

      at = chain.next(at);
      std::optional<certificate> final;
      if ((i + 1) % 3 == 0) final = certificate_for(*at.whole);
      ledger.commit_block(at.whole->whole, at.after->last.changes, at.after->last.events, final);
      if (at.after->last.epoch_closed) {
        closed[at.whole->whole.header.epoch.value] = at.whole->id;
      }
      const auto found = archive.find(at.whole->id);
      REQUIRE(found != nullptr);
      CHECK(found->id == at.whole->id);
      CHECK(found->whole == at.whole->whole);
    }
    CHECK(closed.size() > 3);
    CHECK(archive.find(id.as<block_tag>()) == nullptr);
    CHECK(archive.after({30}, SIZE_MAX, 64).blocks.empty());
    const auto run = archive.after({0}, SIZE_MAX, 64);
    REQUIRE_FALSE(run.blocks.empty());
    CHECK(run.blocks.back()->id == run.final->what.block);
  }
}

}  // namespace
}  // namespace soma::test
