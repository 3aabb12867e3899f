// Transactions as plain values. On the wire a transaction is the bytes of a single-segment Cap'n
// Proto `Transaction` plus a signature over H("soma.tx", bytes). messages/codec/codec.hpp is the
// only way in.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "messages/values/amounts.hpp"
#include "messages/values/ids.hpp"

namespace soma::inline values {

/// Encrypted weights as they lie in a blob store: AES-256-CTR with a fresh key and IV for each
/// publication.
struct weights_manifest {
  std::uint64_t size_bytes = 0;   // encrypted size = plain size
  std::uint32_t chunk_bytes = 0;  // 1 MiB
  blob_id root;                   // Merkle root over the encrypted chunks
  cipher_iv iv{};
  friend bool operator==(const weights_manifest&, const weights_manifest&) = default;
};

/// One version of one model: a target assigns versions and an audit scores them.
struct model_version_ref {
  model_id model;
  std::uint32_t version = 0;  // from 1
  friend auto operator<=>(const model_version_ref&, const model_version_ref&) = default;
};

/// A verdict is a fact about the weights that anybody who has them can check again. That a
/// validator could not fetch them is none.
enum class model_verdict : std::uint8_t {
  good,
  wrong_hash,
  malformed,
  wrong_architecture,
  not_finite
};
enum class audit_verdict : std::uint8_t {
  ok,
  unavailable,
  wrong_size,
  wrong_winner,
  wrong_loss,
  wrong_distance
};

/// The owner of a pool: a validator (by address) or a model (by id).
using pool_owner = std::variant<address, model_id>;

namespace tx {

struct transfer {
  address to;
  shannons amount;
  friend bool operator==(const transfer&, const transfer&) = default;
};
struct commit_model {
  std::optional<model_id> model;  // absent: a new model
  hash256 commitment;             // H("soma.commit", weights hash || key || embedding || salt)
  weights_manifest manifest;
  shannons stake;  // added to the model's own stake; a new model needs at least the minimum
  std::uint32_t commission_bps = 0;
  friend bool operator==(const commit_model&, const commit_model&) = default;
};
struct reveal_model {
  model_id model;
  weights_hash weights;
  cipher_key key{};
  std::vector<float> embedding;  // dim finite values, norm not zero
  hash256 salt;
  friend bool operator==(const reveal_model&, const reveal_model&) = default;
};
struct retire_model {
  model_id model;
  friend bool operator==(const retire_model&, const retire_model&) = default;
};
struct vote_on_model {
  model_version_ref version;
  model_verdict verdict = model_verdict::good;
  friend bool operator==(const vote_on_model&, const vote_on_model&) = default;
};
struct claim_target {
  target_id target;
  model_version_ref winner;
  std::uint32_t loss_bits = 0;     // binary32
  std::uint32_t distance_q30 = 0;  // cosine distance in units of 2^-30
  std::uint64_t size_bytes = 0;
  hash256 commitment;  // H("soma.data", data hash || size || salt || sender)
  friend bool operator==(const claim_target&, const claim_target&) = default;
};
struct reveal_data {
  target_id target;
  data_hash data;
  blob_id blob;  // Merkle root under which the bytes lie in the blob stores
  hash256 salt;
  friend bool operator==(const reveal_data&, const reveal_data&) = default;
};
struct vote_on_submission {
  target_id target;
  audit_verdict verdict = audit_verdict::ok;
  friend bool operator==(const vote_on_submission&, const vote_on_submission&) = default;
};

struct add_stake {
  pool_owner pool;
  shannons amount;
  friend bool operator==(const add_stake&, const add_stake&) = default;
};
struct withdraw_stake {
  pool_owner pool;
  std::uint64_t shares = 0;
  friend bool operator==(const withdraw_stake&, const withdraw_stake&) = default;
};
struct set_commission {
  pool_owner pool;
  std::uint32_t commission_bps = 0;
  friend bool operator==(const set_commission&, const set_commission&) = default;
};
struct join_committee {
  public_key consensus_key{};
  /// Signature by the consensus key over H("soma.pop", chain || sender address).
  signature proof_of_possession{};
  shannons stake;
  friend bool operator==(const join_committee&, const join_committee&) = default;
};
struct leave_committee {
  friend bool operator==(const leave_committee&, const leave_committee&) = default;
};
/// The outermost layer of a hash onion, which the sender's blocks peel from a later block on. The
/// number is for the owner alone: it finds the secret of the onion again by it.
struct commit_onion {
  hash256 layer;
  std::uint64_t number = 0;
  friend bool operator==(const commit_onion&, const commit_onion&) = default;
};
/// Two statements signed by one consensus key that exclude each other. Each is the layout of a
/// header or of a vote (messages/codec/codec.hpp) and has at most 1 KiB.
struct report_equivocation {
  public_key signer{};
  bytes first_statement;
  signature first_signature{};
  bytes second_statement;
  signature second_signature{};
  friend bool operator==(const report_equivocation&, const report_equivocation&) = default;
};

}  // namespace tx

using transaction_kind =
    std::variant<tx::transfer, tx::commit_model, tx::reveal_model, tx::retire_model,
                 tx::vote_on_model, tx::claim_target, tx::reveal_data, tx::vote_on_submission,
                 tx::add_stake, tx::withdraw_stake, tx::set_commission, tx::join_committee,
                 tx::leave_committee, tx::report_equivocation, tx::commit_onion>;

struct transaction {
  chain_id chain;
  public_key sender{};
  std::uint64_t nonce = 0;  // the next nonce of the account
  epoch_number expiry;      // last epoch in which the transaction may be executed
  transaction_kind kind;
  friend bool operator==(const transaction&, const transaction&) = default;
};

/// A transaction as it travels and as it is stored in a block: the signed bytes themselves, which
/// are never encoded again.
struct signed_transaction {
  bytes body;             // single-segment Cap'n Proto Transaction
  signature by_sender{};  // over H("soma.tx", body)
  friend bool operator==(const signed_transaction&, const signed_transaction&) = default;
};

inline constexpr std::size_t max_transaction_bytes = 256 * 1024;

}  // namespace soma::inline values
