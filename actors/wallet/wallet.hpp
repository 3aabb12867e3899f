// Builds and signs the transactions of every role and of every verb of the program. What must hold:
//   - A transaction names its chain and the key that signs it, and its bytes are within the limit
//     of the protocol. It contains no fee: the rules charge what its kind costs.
//   - A wallet uses each nonce once. It signs nothing before it is told the account's nonce. When a
//     validator has refused a transaction, the ledger is asked for the nonce again.
//   - The sender keeps the content of what it signed as a value. It never reads its own bytes
//     again.
#pragma once

#include <cstdint>
#include <optional>

#include "messages/crypto/ed25519.hpp"
#include "messages/signing/signing.hpp"
#include "messages/values/assert.hpp"
#include "messages/values/transactions.hpp"
#include "messages/wire/role_messages.hpp"

namespace soma::wallet {

/// A transaction as its sender keeps it: the content, the bytes that travel, and the id.
struct own_transaction {
  transaction content;
  signed_transaction sent;
  transaction_id id;
};

/// The content of a transaction that is not signed yet. Asserts that it has a chain and a sender.
[[nodiscard]] transaction make_transaction(const chain_id& chain, const public_key& sender,
                                           std::uint64_t nonce, epoch_number expiry,
                                           transaction_kind kind);

/// A transaction of the sender `key`, signed with this key.
[[nodiscard]] own_transaction make_signed_transaction(const crypto::key_pair& key,
                                                      const chain_id& chain, std::uint64_t nonce,
                                                      epoch_number expiry, transaction_kind kind);

/// An account's key and the nonce that its next transaction needs.
class wallet {
 public:
  /// A wallet that does not know the nonce yet.
  wallet(crypto::key_pair key, const chain_id& chain) : key_(std::move(key)), chain_(chain) {}
  wallet(crypto::key_pair key, const chain_id& chain, std::uint64_t next_nonce)
      : key_(std::move(key)), chain_(chain), next_nonce_(next_nonce) {}

  [[nodiscard]] address owner() const { return crypto::address_of(key_.public_half()); }
  [[nodiscard]] bool knows_nonce() const { return next_nonce_.has_value(); }
  void set_next_nonce(std::uint64_t nonce) { next_nonce_ = nonce; }
  void forget_nonce() { next_nonce_.reset(); }

  /// Signs with the next nonce and counts it as used. Asserts that the nonce is known.
  [[nodiscard]] own_transaction sign(transaction_kind kind, epoch_number expiry);

 private:
  crypto::key_pair key_;
  chain_id chain_;
  std::optional<std::uint64_t> next_nonce_;
};

/// The request that offers `transaction` to a validator.
[[nodiscard]] message<schema::SubmitTransaction> offer(const signed_transaction& transaction);

}  // namespace soma::wallet
