// Where transactions come in: from clients, from peers, from the validator itself. All are checked
// the same way before they wait in the pool; those of clients and its own are passed on to the
// peers once, in batches, those of peers are not. What must hold:
//   - By security §8.1 a peer that sends nonsense or too much costs a bounded amount of work: only
//     so many of its transactions a second are looked at, and those that are known already are not
//     verified again.
//   - What was passed on may be lost: it still waits here for the own turn to propose.
#pragma once

#include <map>

#include "actors/consensus/mempool.hpp"
#include "actors/rules/execution.hpp"
#include "actors/validator/block_executor.hpp"
#include "actors/validator/ledger_answers.hpp"
#include "actors/validator/validator_parts.hpp"
#include "messages/crypto/ed25519.hpp"
#include "messages/values/genesis.hpp"

namespace soma::validator {

inline constexpr std::uint64_t batch_ms = 20;  // transactions to pass on wait for each other
inline constexpr std::size_t batch_bytes = 64 * 1024;
inline constexpr std::uint32_t max_peer_transactions_per_s = 4'096;

class transaction_gate {
 public:
  /// `parts` and `executor` outlive it.
  transaction_gate(validator_parts& parts, const tables::ledger_store& ledger,
                   block_executor& executor, const soma::genesis& genesis,
                   const crypto::key_pair& key);

  [[nodiscard]] message<schema::SubmitReceipt> submit(schema::SubmitTransaction::Reader request);
  void take_from_peer(std::uint32_t peer, const peer::transactions& batch, std::uint64_t now_ms);
  void peer_gone(std::uint32_t peer) { taken_.erase(peer); }
  /// Signed with the validator's key. False when it was refused; the pool may be full.
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
  [[nodiscard]] verdict take(signed_transaction&& sent, origin from);
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
  peer::transactions batch_;
  std::size_t batch_size_ = 0;
  struct second {
    std::uint64_t number = 0;
    std::uint32_t transactions = 0;
  };
  std::map<std::uint32_t, second> taken_;  // by peer
};

}  // namespace soma::validator
