// The entrance for transactions from clients, from peers and from the validator itself. All of them
// pass the same checks before they wait in the pool. Those of clients and of the validator are sent
// to the peers once, in batches; those of peers are not sent on. What must hold:
//   - By security §8.1 a peer that sends nonsense or too much costs a bounded amount of work: only
//     max_peer_transactions_per_s of its transactions are looked at, and transactions that the pool
//     holds are not verified again. A signature is verified only of what the pool would take, and a
//     peer that sends a wrong one is blamed.
//   - A batch to the peers may be lost. Its transactions still wait in the pool until this
//     validator proposes a block itself.
//   - What the validator itself has said comes again until a block has executed it: to its own pool
//     after each block that finds it missing there, to the peers after pauses that grow. A peer may
//     have been a block behind, or a proposer may have left it out.
#pragma once

#include <deque>
#include <map>
#include <set>

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
inline constexpr std::size_t max_own_words = 4'096;  // of the validator's own transactions
// The blocks until the validator's own transactions are sent to the peers again: first and at most.
inline constexpr std::uint64_t first_pause = 4, longest_pause = 64;

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
  /// when it was refused. What only the pool refused, and what no block has executed, comes again
  /// until the next epoch is over.
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
  struct own_word {
    transaction_kind kind;
    epoch_number until;
    std::optional<transaction_id> waits_as{};  // in the pool, unless it was pushed out
    std::uint64_t pause = first_pause;
    block_height again_at{};
  };
  [[nodiscard]] verdict take(signed_transaction&& sent, origin from);
  /// Signs it anew and takes it in.
  offer_refusal say(own_word& word);
  void say_again(const chain_row& after, const std::set<transaction_id>& executed);
  /// The transaction as the pool takes it, but for its lane.
  [[nodiscard]] consensus::pooled_transaction priced(const transaction_id& id,
                                                     const address& sender, const transaction& body,
                                                     const signed_transaction& sent) const;
  /// Why the duty would be refused now; nothing for what is none.
  [[nodiscard]] rules::refused duty_refused(const transaction_kind& kind,
                                            const address& sender) const;
  [[nodiscard]] consensus::pool_lane lane_of(const transaction& body, const address& sender) const;
  [[nodiscard]] shannons taken_by(const transaction_kind& kind) const;
  [[nodiscard]] bool reveals_what_stands(const transaction& body, const address& sender) const;
  [[nodiscard]] rules::refused at_the_door(const transaction& sent, std::uint64_t size_bytes,
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
  std::deque<own_word> own_;
  peer::transactions batch_;
  std::size_t batch_size_ = 0;
  struct second {
    std::uint64_t number = 0;
    std::uint32_t transactions = 0;
  };
  std::map<std::uint32_t, second> taken_;  // per peer: what it sent in the present second
};

}  // namespace soma::validator
