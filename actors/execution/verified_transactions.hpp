// Reads transactions and remembers which hold, so that each is verified once in a process however
// often it comes: from a client, from peers, in a proposal (security §8.2). What must hold:
//   - A body's id is remembered with the very signature that held; another signature is verified.
//   - A transaction whose signature does not hold is not remembered, and of the others only the
//     latest are: a sender of many makes those of other senders be verified twice at most.
#pragma once

#include <deque>
#include <map>

#include "actors/rules/transactions.hpp"

namespace soma::execution {

class verified_transactions {
 public:
  explicit verified_transactions(std::size_t most = 32'768) : most_(most) {}  // 6 MiB

  /// As rules::read_transaction.
  [[nodiscard]] rules::block_transaction read(const signed_transaction& sent);
  /// Signatures that were really verified.
  [[nodiscard]] std::uint64_t verified() const { return verified_; }

 private:
  std::size_t most_;
  std::map<transaction_id, signature> good_;
  std::deque<transaction_id> order_;
  std::uint64_t verified_ = 0;
};

}  // namespace soma::execution
