// The ids, seeds and commitments that the rules derive by hashing.
#pragma once

#include "messages/signing/signing.hpp"
#include "messages/values/rows.hpp"

namespace soma::rules {

using signing::chain_id_of;
using signing::committee_hash;
using signing::data_commitment;
using signing::model_commitment;
using signing::model_id_of;

/// What a draw of targets starts from, protocol §7.1: the id of a block, and for a replacement also
/// the id of the target that was filled.
struct draw_entropy {
  block_id block;
  std::optional<target_id> filled;
};
/// H("soma.target-id", entropy || index).
[[nodiscard]] target_id target_id_of(const draw_entropy& entropy, std::uint64_t index);
/// The first 8 bytes of H("soma.target", entropy || index), little endian.
[[nodiscard]] std::uint64_t target_seed_of(const draw_entropy& entropy, std::uint64_t index);
/// The seed of an audit's scoring: the first 8 bytes of the target's id, little endian. Protocol
/// §8.3.1.
[[nodiscard]] std::uint64_t scoring_seed_of(const target_id& target);

/// The parent of block 1: the chain's id as the id of a block. Protocol §10.5.
[[nodiscard]] block_id genesis_parent(const chain_id& chain);

}  // namespace soma::rules
