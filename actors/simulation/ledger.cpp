#include "actors/simulation/ledger.hpp"

namespace soma::simulation {

std::size_t size_of(const block& b) {
  std::size_t sum = 300;
  for (const auto& t : b.payload) sum += consensus::payload_size(t);
  return sum;
}

void ledger::append(const consensus::final_block& b, state_ptr after) {
  entries_.push_back({b, std::move(after)});
  by_id_[b.block->id] = entries_.size();
}

consensus::chain_position ledger::position() const {
  const auto& state = *tip_state();
  consensus::chain_position at;
  at.chain = keys_.chain();
  at.epoch = {state.epoch};
  at.height = {height()};
  at.time_ms = state.time_ms;
  at.root =
      entries_.empty() ? state.root() : entries_.back().committed.block->block.header.state_root;
  at.block = tip();
  at.epoch_start_ms = state.epoch_start_ms;
  at.epoch_end_ms = state.epoch_end_ms;
  at.seats = state.seats;
  at.leader_seed = state.leader_seed;
  at.next_leader_seed = state.next_leader_seed;
  if (entries_.empty()) return at;
  const auto& last = entries_.back().committed;
  const auto& header = last.block->block.header;
  if ((header.flags & block_closes_epoch) == 0) at.view = header.view;
  at.final = last.final;
  return at;
}

block_ptr ledger::find(const block_id& id) const {
  const auto it = by_id_.find(id);
  return it == by_id_.end() ? nullptr : entries_[it->second - 1].committed.block;
}

consensus::block_archive::chain_segment ledger::after(block_height height, std::size_t max_bytes,
                                                      std::size_t max_count) const {
  chain_segment out;
  std::size_t bytes = 0;
  std::size_t proven = 0;
  std::vector<block_ptr> blocks;
  for (auto i = height.value; i < entries_.size() && blocks.size() < max_count; ++i) {
    const auto& next = entries_[i].committed;
    const auto& header = next.block->block.header;
    if (blocks.empty()) out.epoch = header.epoch;
    bytes += size_of(next.block->block);
    if (header.epoch != out.epoch || (bytes > max_bytes && !blocks.empty())) break;
    blocks.push_back(next.block);
    if (next.final || next.epoch_end) {
      proven = blocks.size();
      out.final = next.final;
      out.epoch_end = next.epoch_end;
    }
    if (next.epoch_end) break;
  }
  blocks.resize(proven);
  out.blocks = std::move(blocks);
  return out;
}

}  // namespace soma::simulation
