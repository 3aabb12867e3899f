// The ids, seeds and commitments that rules derive by hashing, under one roof.
#pragma once

#include "messages/crypto/transactions.hpp"
#include "messages/types/ledger_rows.hpp"

namespace soma::rules {

using crypto::chain_id_of;
using crypto::committee_hash;
using crypto::data_commitment;
using crypto::model_commitment;
using crypto::model_id_of;

/// What a draw of targets starts from. Protocol §7: the id of a block, for a replacement also the
/// filled target's id.
struct draw_entropy {
  block_id block;
  std::optional<target_id> filled;
};
/// H("soma.target-id", entropy || index).
[[nodiscard]] target_id target_id_of(const draw_entropy& entropy, std::uint64_t index);
/// The first 8 bytes of H("soma.target", entropy || index), little endian.
[[nodiscard]] std::uint64_t target_seed_of(const draw_entropy& entropy, std::uint64_t index);
/// The seed of an audit's scoring: the first 8 bytes of the target's id, little endian. Protocol
/// §8.3.
[[nodiscard]] std::uint64_t scoring_seed_of(const target_id& target);

/// The parent of block 1: the chain's id under a block's name.
[[nodiscard]] block_id genesis_parent(const chain_id& chain);

}  // namespace soma::rules
