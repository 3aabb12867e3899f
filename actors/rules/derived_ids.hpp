// Every id, seed and commitment that the protocol derives by hashing. Integers are hashed little
// endian.
#pragma once

#include <span>

#include "messages/types/blocks.hpp"
#include "messages/types/ids.hpp"
#include "messages/types/ledger_rows.hpp"

namespace soma::rules {

/// H("soma.model", id of the transaction that committed it).
[[nodiscard]] model_id model_id_of(const transaction_id& commit);
/// H("soma.commit", weights hash || key || embedding as binary32 || salt). Protocol §6.
[[nodiscard]] hash256 model_commitment(const weights_hash& weights, const cipher_key& key,
                                       std::span<const float> embedding, const hash256& salt);
/// H("soma.data", data hash || size || salt || sender). Protocol §8.
[[nodiscard]] hash256 data_commitment(const data_hash& data, std::uint64_t size_bytes,
                                      const hash256& salt, const address& sender);

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
/// H("soma.payload", ids of the transactions in order).
[[nodiscard]] hash256 payload_root_of(std::span<const transaction_id> transactions);

}  // namespace soma::rules
