// What the agreement core is told of the ledger: where the chain stands, and what others may be
// shown of it.
#pragma once

#include "actors/consensus/agreement.hpp"
#include "messages/values/genesis.hpp"
#include "storage/tables/ledger_store.hpp"

namespace soma::execution {

/// Where the chain stands. `root` is that of the ledger's rows as the view shows them.
[[nodiscard]] consensus::chain_position position_of(const tables::ledger_view& ledger,
                                                    const soma::genesis& genesis,
                                                    const state_root& root);

/// The id of the last block; rules::genesis_parent before there is one.
[[nodiscard]] block_id last_block_of(const tables::ledger_view& ledger,
                                     const soma::genesis& genesis);

/// The ledger as others ask for it. The store outlives it.
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
