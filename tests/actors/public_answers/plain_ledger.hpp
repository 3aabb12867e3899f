// A ledger of any rows and one certified block whose signatures are not real.
#pragma once

#include "actors/state_tree/state_tree.hpp"
#include "messages/codec/codec.hpp"
#include "messages/signing/signing.hpp"
#include "messages/values/votes.hpp"
#include "storage/tables/ledger_store.hpp"
#include "tests/support/scratch.hpp"

namespace soma::test {

struct plain_ledger {
  explicit plain_ledger(std::vector<row_change> rows)
      : store(folder.path() / "ledger", {.map_bytes = std::size_t{1} << 30, .sync = false}) {
    rows.push_back({chain_key(), encode(chain_row{})});
    store.init(as_bytes("genesis"), rows);
    tree.apply(rows);
    chain_row tip;
    tip.height = {1};
    const std::vector<row_change> changes{{chain_key(), encode(tip)}};
    block first;
    first.header.height = {1};
    first.header.view = {1};
    first.header.state_root = tree.apply(changes);
    certificate final;
    final.statement = {vote_kind::finalize, {}, {1}, signing::id_of(first.header)};
    final.signers.add({0});
    final.signatures.emplace_back();
    store.commit_block(first, changes, {}, final);
  }
  scratch_directory folder;
  tables::ledger_store store;
  state_tree::tree tree;
};

}  // namespace soma::test
