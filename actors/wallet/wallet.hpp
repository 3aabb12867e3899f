// An account's key and the nonce that its next transaction needs. A value inside an actor's state;
// the ledger is asked for the nonce again whenever a transaction was refused at the door.
#pragma once

#include <cstdint>

#include "messages/crypto/ed25519.hpp"
#include "messages/crypto/transactions.hpp"
#include "messages/types/role_messages.hpp"
#include "messages/types/transactions.hpp"

namespace soma::actors {

class wallet {
 public:
  wallet(crypto::key_pair key, const chain_id& chain) : key_(std::move(key)), chain_(chain) {}

  [[nodiscard]] address owner() const { return crypto::address_of(key_.public_half()); }
  [[nodiscard]] std::uint64_t next_nonce() const { return nonce_; }
  void set_next_nonce(std::uint64_t nonce) { nonce_ = nonce; }

  /// Signs with the next nonce and counts it as used.
  [[nodiscard]] signed_transaction sign(transaction_kind kind, epoch_number expiry);

 private:
  crypto::key_pair key_;
  chain_id chain_;
  std::uint64_t nonce_ = 0;
};

/// The request that offers `transaction` to a validator.
[[nodiscard]] message<schema::SubmitTransaction> offer(const signed_transaction& transaction);

}  // namespace soma::actors
