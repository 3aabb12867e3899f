// A client that sends transfers to the validators of a network. It takes a transfer for final when
// a validator says so.
#pragma once

#include <memory>
#include <set>
#include <vector>

#include "actors/validator/validator_actor.hpp"
#include "messages/values/transactions.hpp"
#include "tests/functional/cluster.hpp"
#include "tests/functional/validator_network.hpp"

namespace soma::support {

class final_sender {
 public:
  final_sender(const validator_network& net, const cluster::cluster_identity& identity)
      : net_(net), process_(identity) {}

  [[nodiscard]] signed_transaction transfer(std::size_t account, std::uint64_t nonce) const;
  /// Offers the open transfers of `batch` to a validator, and closes those that the validator then
  /// calls final. Returns the ids of these.
  std::vector<transaction_id> send_until_final(std::size_t validator,
                                               const std::vector<signed_transaction>& batch,
                                               std::set<std::size_t>& open, unsigned patience_ms);

 private:
  /// The handle of a validator; null if it can't be reached.
  validator::validator_actor connect(std::size_t validator);

  const validator_network& net_;
  cluster_process process_;
  std::uint64_t epoch_ = 0;  // the latest that a validator named; transfers expire two later
};

}  // namespace soma::support
