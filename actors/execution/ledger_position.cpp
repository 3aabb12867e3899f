#include "actors/execution/ledger_position.hpp"

#include "actors/rules/genesis_state.hpp"
#include "messages/codec/codec.hpp"
#include "messages/signing/signing.hpp"

namespace soma::execution {
namespace {

block_ptr named(block content) {
  const auto id = signing::id_of(content.header);
  return std::make_shared<const identified_block>(identified_block{id, std::move(content)});
}

/// The header of the block that closed the epoch; nullopt when the epoch is not over.
std::optional<block_header> closing_header(const tables::ledger_view& ledger, epoch_number epoch) {
  if (const auto proof = ledger.epoch_end(epoch)) return proof->headers.front();
  const auto height = ledger.closing_height(epoch);
  const auto closing = height ? ledger.block_at(*height) : std::nullopt;
  return closing ? std::optional(closing->header) : std::nullopt;
}

/// The header of the last block; nullopt before there is one.
std::optional<block_header> last_header(const tables::ledger_view& ledger, const chain_row& chain) {
  if (chain.height.value == 0) return std::nullopt;
  if (auto last = ledger.block_at(chain.height)) return last->header;
  // The ledger was taken over as a snapshot at the end of an epoch and holds no block yet.
  auto closing = closing_header(ledger, {chain.epoch.value - 1});
  SOMA_ASSERT(closing && closing->height == chain.height, "a ledger knows its last block");
  return closing;
}

}  // namespace

block_id last_block_of(const tables::ledger_view& ledger, const soma::genesis& genesis) {
  const auto last = last_header(ledger, ledger.chain().value());
  return last ? signing::id_of(*last) : signing::genesis_parent(signing::chain_id_of(genesis));
}

std::optional<state_root> last_state_root_of(const tables::ledger_view& ledger) {
  const auto last = last_header(ledger, ledger.chain().value());
  return last ? std::optional(last->state_root) : std::nullopt;
}

consensus::chain_position position_of(const tables::ledger_view& ledger,
                                      const soma::genesis& genesis, const state_root& root) {
  const auto chain = ledger.chain().value();
  const auto last = last_header(ledger, chain);
  consensus::chain_position at;
  at.chain = signing::chain_id_of(genesis);
  at.epoch = chain.epoch;
  at.block = last ? signing::id_of(*last) : signing::genesis_parent(at.chain);
  if (last && last->epoch == chain.epoch) at.view = last->view;
  at.height = chain.height;
  at.time_ms = chain.time_ms;
  at.root = root;
  at.epoch_start_ms = chain.epoch_start_ms;
  at.epoch_end_ms = chain.epoch_start_ms + genesis.parameters.epoch_ms;
  at.final = ledger.final_at(chain.height);
  const auto committee = ledger.find_row(committee_key());
  SOMA_ASSERT(committee.has_value(), "a ledger has a committee");
  at.seats = decode_own<committee_row>(*committee).value().seats;
  at.leader_seed = chain.leader_seed;
  at.next_leader_seed = chain.next_leader_seed;
  return at;
}

block_ptr ledger_archive::find(const block_id& id) const {
  auto found = ledger_.find_block(id);
  return found ? named(std::move(*found)) : nullptr;
}

consensus::block_archive::chain_segment ledger_archive::after(block_height height,
                                                              std::size_t max_bytes,
                                                              std::size_t max_count) const {
  auto stored = ledger_.view().blocks_after(height, max_bytes, max_count);
  chain_segment out{stored.epoch, {}, std::move(stored.final), std::move(stored.epoch_end)};
  for (auto& b : stored.blocks) out.blocks.push_back(named(std::move(b)));
  return out;
}

}  // namespace soma::execution
