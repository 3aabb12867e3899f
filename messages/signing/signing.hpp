// What is signed and what is hashed: transactions, blocks, and the ids and commitments of the
// protocol §1.3. Each tag is used in one place of this file. Numbers are hashed little endian.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "messages/codec/block_id.hpp"
#include "messages/crypto/ed25519.hpp"
#include "messages/values/blocks.hpp"
#include "messages/values/expected.hpp"
#include "messages/values/genesis.hpp"
#include "messages/values/ids.hpp"
#include "messages/values/rows.hpp"
#include "messages/values/transactions.hpp"
#include "messages/wire/parse.hpp"

namespace soma::signing {

[[nodiscard]] chain_id chain_id_of(const genesis& genesis);

/// Signs the id of the transaction with `key`, protocol §1.5. Asserts that the sender is the public
/// half of the key.
[[nodiscard]] signed_transaction sign_transaction(const crypto::key_pair& key,
                                                  const transaction& content);
[[nodiscard]] transaction_id id_of(const signed_transaction& sent);

enum class tx_refusal : std::uint8_t { too_large, malformed, bad_key, bad_signature };
[[nodiscard]] std::string_view to_text(tx_refusal refusal);
/// The content of the transaction if size, form, key and signature are right. They are checked in
/// this order, the cheap checks first. Protocol §1.6.
[[nodiscard]] expected<transaction, tx_refusal> verify(const signed_transaction& sent);
/// The same for a transaction whose exact body and signature were verified before: they are not
/// verified again.
[[nodiscard]] expected<transaction, tx_refusal> read_verified(const signed_transaction& sent);

/// The id of a block header is computed in messages/codec.
using codec::id_of;

/// H("soma.payload", the signers' 16 bytes || ids of the transactions in order).
[[nodiscard]] hash256 payload_root(std::span<const signed_transaction> payload,
                                   const signer_set& parent_signers);
/// H("SX1/com", (member || consensus key || power as u32 little endian) of each seat in order).
[[nodiscard]] hash256 committee_hash(std::span<const committee_seat> seats);
/// The proposer's signature over H("SX1/prop", block id).
[[nodiscard]] signature sign_block(const crypto::key_pair& key, const block_id& block);
[[nodiscard]] bool verify_block(const public_key& proposer, const block_id& block,
                                const signature& by_proposer);

/// A member's vote: the signature by its consensus key over H("SX1/vote", chain || layout).
[[nodiscard]] signature sign_vote(const crypto::key_pair& key, const chain_id& chain,
                                  const vote_statement& vote);
[[nodiscard]] bool verify_vote(const public_key& voter, const chain_id& chain,
                               const vote_statement& vote, const signature& by_voter);

/// H("soma.model", id of the transaction that committed it).
[[nodiscard]] model_id model_id_of(const transaction_id& commit);
/// The parent of block 1: the chain's id as the id of a block. Protocol §10.5.
[[nodiscard]] block_id genesis_parent(const chain_id& chain);
/// The seed of an audit's scoring: the first 8 bytes of the target's id, little endian. Protocol
/// §8.3.1.
[[nodiscard]] std::uint64_t scoring_seed_of(const target_id& target);
/// H("soma.target-id", entropy || index).
[[nodiscard]] target_id target_id_of(const hash256& entropy, std::uint64_t index);
/// The first eight bytes, little endian, of H("soma.target", entropy || index): protocol §7.1.
[[nodiscard]] std::uint64_t target_seed(const hash256& entropy, std::uint64_t index);
/// H("soma.peel", inner): the layer of a hash onion around another. Protocol §7.1.
[[nodiscard]] hash256 layer_around(const hash256& inner);
/// H("soma.entropy", entropy || peel): what a block leaves of the entropy before it.
[[nodiscard]] hash256 entropy_after(const hash256& entropy, const hash256& peel);
/// The innermost layer of the onion with this number: H("soma.onion-core", the signature by the
/// owner's consensus key over H("soma.onion", chain || number)). The key alone finds it again.
[[nodiscard]] hash256 onion_core(const crypto::key_pair& consensus, const chain_id& chain,
                                 std::uint64_t number);
/// H("soma.audit", entropy || target id): protocol §8.3.5.
[[nodiscard]] hash256 audit_seed_of(const hash256& entropy, const target_id& target);
/// H("soma.audit-seat", audit seed || draw): protocol §8.3.5.
[[nodiscard]] hash256 audit_draw(const hash256& audit_seed, std::uint64_t draw);
/// H("soma.blob-data", data).
[[nodiscard]] data_hash data_hash_of(byte_view data);
/// H("soma.weights", plain safetensors file).
[[nodiscard]] weights_hash weights_hash_of(byte_view file);
/// H("soma.data", data hash || blob || size || salt || sender): protocol §8.1. It names the sender
/// and the blob, so that nobody can reveal for another, or name another's blob as its own.
[[nodiscard]] hash256 data_commitment(const data_hash& data, const blob_id& blob,
                                      std::uint64_t size_bytes, const hash256& salt,
                                      const address& sender);
/// H("soma.commit", weights hash || key || embedding as binary32 || salt || owner): protocol §6.3.
/// A commitment that somebody copies cannot be revealed by the copy's sender.
[[nodiscard]] hash256 model_commitment(const weights_hash& weights, const cipher_key& key,
                                       std::span<const float> embedding, const hash256& salt,
                                       const address& owner);

/// The signature by a consensus key over H("soma.pop", chain || sender's address): it proves that
/// the holder of the key agrees to its use. Protocol §5.1.
[[nodiscard]] signature prove_possession(const crypto::key_pair& consensus, const chain_id& chain,
                                         const address& sender);
[[nodiscard]] bool verify_possession(const public_key& consensus, const chain_id& chain,
                                     const address& sender, const signature& proof);

/// The signature by an account's key over H("soma.upload", chain || blob || size || expiry): the
/// account wants the blob to be kept by a gateway. The expiry is Unix time in milliseconds.
[[nodiscard]] signature sign_upload(const crypto::key_pair& key, const chain_id& chain,
                                    const blob_id& blob, std::uint64_t size_bytes,
                                    std::uint64_t expiry_ms);
[[nodiscard]] bool verify_upload(const public_key& key, const chain_id& chain, const blob_id& blob,
                                 std::uint64_t size_bytes, std::uint64_t expiry_ms,
                                 const signature& by_key);

}  // namespace soma::signing
