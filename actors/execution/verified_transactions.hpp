// Reads transactions and remembers those with a valid signature. So a process verifies each of them
// once, although it comes from a client, from peers and in a proposal (security §8.2). What must
// hold:
//   - The id of a body is remembered together with the signature that was valid. Another signature
//     of the same body is verified.
//   - A transaction with an invalid signature is not remembered. Of the valid ones only the latest
//     are: a sender of very many transactions makes it verify those of others at most twice.
#pragma once

#include <deque>
#include <map>

#include "actors/rules/transactions.hpp"

namespace soma::execution {

class verified_transactions {
 public:
  explicit verified_transactions(std::size_t most = 32'768) : most_(most) {}  // 6 MiB

  /// Does the same as rules::read_transaction.
  [[nodiscard]] rules::block_transaction read(const signed_transaction& sent);
  /// The number of signatures that were really verified.
  [[nodiscard]] std::uint64_t verified() const { return verified_; }

 private:
  std::size_t most_;
  std::map<transaction_id, signature> good_;
  std::deque<transaction_id> order_;
  std::uint64_t verified_ = 0;
};

}  // namespace soma::execution
