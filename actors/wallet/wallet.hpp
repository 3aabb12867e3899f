// Where transactions are built and signed, those of every role and of every verb of the program.
// What must hold:
//   - A transaction names the chain it is for and the key that signs it, and its bytes are within
//   the
//     limit of the protocol. There is no fee in it: the rules charge what its kind costs.
//   - A wallet uses each nonce once. It signs nothing before it has been told the account's nonce;
//     the ledger is asked for the nonce again whenever a validator turned a transaction away.
//   - The sender keeps what it signed as a value. It never reads its own bytes again.
#pragma once

#include <cstdint>
#include <optional>

#include "messages/crypto/ed25519.hpp"
#include "messages/signing/signing.hpp"
#include "messages/values/assert.hpp"
#include "messages/values/transactions.hpp"
#include "messages/wire/role_messages.hpp"

namespace soma::wallet {

/// A transaction as its sender knows it: the content, the bytes that travel, the id.
struct own_transaction {
  transaction content;
  signed_transaction sent;
  transaction_id id;
};

/// The content of a transaction that is not signed yet. Asserts that it names a chain and a sender.
[[nodiscard]] transaction make_transaction(const chain_id& chain, const public_key& sender,
                                           std::uint64_t nonce, epoch_number expiry,
                                           transaction_kind kind);

/// The same, signed with `key`, which is its sender.
[[nodiscard]] own_transaction make_signed_transaction(const crypto::key_pair& key,
                                                      const chain_id& chain, std::uint64_t nonce,
                                                      epoch_number expiry, transaction_kind kind);

/// An account's key and the nonce that its next transaction needs.
class wallet {
 public:
  /// The nonce is not known yet.
  wallet(crypto::key_pair key, const chain_id& chain) : key_(std::move(key)), chain_(chain) {}
  wallet(crypto::key_pair key, const chain_id& chain, std::uint64_t next_nonce)
      : key_(std::move(key)), chain_(chain), next_nonce_(next_nonce) {}

  [[nodiscard]] address owner() const { return crypto::address_of(key_.public_half()); }
  [[nodiscard]] bool knows_nonce() const { return next_nonce_.has_value(); }
  void set_next_nonce(std::uint64_t nonce) { next_nonce_ = nonce; }
  void forget_nonce() { next_nonce_.reset(); }

  /// Signs with the next nonce, which has to be known, and counts it as used.
  [[nodiscard]] own_transaction sign(transaction_kind kind, epoch_number expiry);

 private:
  crypto::key_pair key_;
  chain_id chain_;
  std::optional<std::uint64_t> next_nonce_;
};

/// The request that offers `transaction` to a validator.
[[nodiscard]] message<schema::SubmitTransaction> offer(const signed_transaction& transaction);

}  // namespace soma::wallet
