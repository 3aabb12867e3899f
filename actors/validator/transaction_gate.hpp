// The entrance for transactions from clients, from peers and from the validator itself. All of them
// pass the same checks before they wait in the pool. Those of clients and of the validator are sent
// to the peers once, in batches; those of peers are not sent on. What must hold:
//   - By security §8.1 a peer that sends nonsense or too much costs a bounded amount of work: only
//     max_peer_transactions_per_s of its transactions are looked at, and transactions that the pool
//     holds are not verified again.
//   - A batch to the peers may be lost. Its transactions still wait in the pool until this
//     validator proposes a block itself.
#pragma once

#include <deque>
#include <map>

#include "actors/consensus/mempool.hpp"
#include "actors/rules/execution.hpp"
#include "actors/validator/block_executor.hpp"
#include "actors/validator/ledger_answers.hpp"
#include "actors/validator/validator_parts.hpp"
#include "messages/crypto/ed25519.hpp"
#include "messages/values/genesis.hpp"

namespace soma::validator {

inline constexpr std::uint64_t batch_ms = 20;  // how long a batch waits for more transactions
inline constexpr std::size_t batch_bytes = 64 * 1024;
inline constexpr std::uint32_t max_peer_transactions_per_s = 4'096;
inline constexpr std::size_t max_postponed = 4'096;  // of the validator's own transactions

class transaction_gate {
 public:
  /// `parts`, `ledger` and `executor` must outlive the gate.
  transaction_gate(validator_parts& parts, const tables::ledger_store& ledger,
                   block_executor& executor, const soma::genesis& genesis,
                   const crypto::key_pair& key);

  [[nodiscard]] message<schema::SubmitReceipt> submit(schema::SubmitTransaction::Reader request);
  void take_from_peer(std::uint32_t peer, const peer::transactions& batch, std::uint64_t now_ms);
  void peer_gone(std::uint32_t peer) { taken_.erase(peer); }
  /// Makes a transaction of this kind, signs it with the validator's key and takes it in. False
  /// when it was refused. What the pool alone refused is tried again after every block until the
  /// next epoch is over, since the pool is emptier then.
  bool send_own(transaction_kind kind);
  void flush();
  void block_done(const rules::effects& done);

  [[nodiscard]] const consensus::mempool& pool() const { return pool_; }

 private:
  enum class origin : std::uint8_t { client, self, peer };
  struct verdict {
    transaction_id id;
    offer_refusal refusal;
  };
  struct postponed {
    transaction_kind kind;
    epoch_number until;
  };
  [[nodiscard]] verdict take(signed_transaction&& sent, origin from);
  void send_postponed();
  void set_base_fee(const chain_row& chain);
  /// What the pool has to know of a transaction to give it its place.
  [[nodiscard]] consensus::pooled_transaction pooled(const transaction_id& id,
                                                     const address& sender, const transaction& body,
                                                     const signed_transaction& sent) const;
  [[nodiscard]] bool is_duty(const transaction& body, const address& sender) const;
  [[nodiscard]] bool reveals_what_stands(const transaction& body, const address& sender) const;
  [[nodiscard]] rules::refused at_the_door(const transaction& sent, const address& sender,
                                           std::optional<account_row> account) const;
  void pass_on(const signed_transaction& sent);

  validator_parts& parts_;
  const tables::ledger_store& ledger_;
  block_executor& executor_;
  soma::genesis genesis_;
  chain_id chain_;
  crypto::key_pair key_;
  address me_;
  consensus::mempool pool_;
  std::deque<postponed> postponed_;
  peer::transactions batch_;
  std::size_t batch_size_ = 0;
  struct second {
    std::uint64_t number = 0;
    std::uint32_t transactions = 0;
  };
  std::map<std::uint32_t, second> taken_;  // per peer: what it sent in the present second
};

}  // namespace soma::validator
