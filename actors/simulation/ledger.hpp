// The ledger of one node: the final blocks with their proofs, and the state after each of them. It
// outlives a crash; a new core starts from its tip and the voting record.
#pragma once

#include "actors/simulation/toy_chain.hpp"

namespace soma::simulation {

class ledger final : public consensus::block_archive {
 public:
  ledger(const keyring& keys, state_ptr genesis) : keys_(keys), genesis_(std::move(genesis)) {}

  void append(const consensus::final_block& b, state_ptr after);
  void clear() {
    entries_.clear();
    by_id_.clear();
  }

  [[nodiscard]] std::uint64_t height() const { return entries_.size(); }
  [[nodiscard]] const state_ptr& tip_state() const {
    return entries_.empty() ? genesis_ : entries_.back().state;
  }
  /// The id of the last block; of an empty ledger an id that only this chain begins with.
  [[nodiscard]] block_id tip() const {
    return entries_.empty() ? id_from<block_id>(word_of(keys_.chain()))
                            : entries_.back().committed.block->id;
  }
  /// The block of a height; heights begin with 1.
  [[nodiscard]] const consensus::final_block& at(std::uint64_t height) const {
    return entries_[height - 1].committed;
  }
  [[nodiscard]] const state_ptr& state_at(std::uint64_t height) const {
    return height == 0 ? genesis_ : entries_[height - 1].state;
  }
  [[nodiscard]] consensus::chain_position position() const;

  [[nodiscard]] block_ptr find(const block_id& id) const override;
  [[nodiscard]] chain_segment after(block_height height, std::size_t max_bytes,
                                    std::size_t max_count) const override;

 private:
  struct entry {
    consensus::final_block committed;
    state_ptr state;
  };

  const keyring& keys_;
  state_ptr genesis_;
  std::vector<entry> entries_;
  std::map<block_id, std::uint64_t> by_id_;  // height
};

[[nodiscard]] std::size_t size_of(const block& b);

}  // namespace soma::simulation
