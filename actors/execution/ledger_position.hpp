// The ledger as the agreement core sees it: where the chain stands, and blocks that peers ask for.
#pragma once

#include "actors/consensus/agreement.hpp"
#include "messages/values/genesis.hpp"
#include "storage/tables/ledger_store.hpp"

namespace soma::execution {

/// Where the chain stands. `root` is the state root of the rows in the view.
[[nodiscard]] consensus::chain_position position_of(const tables::ledger_view& ledger,
                                                    const soma::genesis& genesis,
                                                    const state_root& root);

/// The id of the last block; of an empty chain signing::genesis_parent.
[[nodiscard]] block_id last_block_of(const tables::ledger_view& ledger,
                                     const soma::genesis& genesis);

/// The state root that the header of the last block names, which is that of the present rows;
/// nullopt before there is a block.
[[nodiscard]] std::optional<state_root> last_state_root_of(const tables::ledger_view& ledger);

/// The blocks of the ledger, for the answers to peers. The store outlives it.
class ledger_archive final : public consensus::block_archive {
 public:
  explicit ledger_archive(const tables::ledger_store& ledger) : ledger_(ledger) {}
  [[nodiscard]] block_ptr find(const block_id& id) const override;
  [[nodiscard]] chain_segment after(block_height height, std::size_t max_bytes,
                                    std::size_t max_count) const override;

 private:
  const tables::ledger_store& ledger_;
};

}  // namespace soma::execution
